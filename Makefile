# What each target needs is installed when it is missing, and nothing is done when it is there.

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
REACTOR := .build/release/reactor

# A file that a package brings, and the package. Postfix would push another mail server out: it is taken where there is none,
# and its tests are skipped elsewhere.
BUILD_NEEDS := /usr/include/ev.h=libev-dev /usr/include/sqlite3.h=libsqlite3-dev /usr/include/openssl/ssl.h=libssl-dev \
	/usr/include/ares.h=libc-ares-dev /usr/include/idn2.h=libidn2-dev \
	/usr/include/zlib.h=zlib1g-dev /usr/include/brotli/encode.h=libbrotli-dev /usr/include/zstd.h=libzstd-dev
# swaks speaks TLS by Net::SSLeay, which lies where the system's libraries do.
SSLEAY := $(or $(wildcard /usr/lib/*/perl5/*/Net/SSLeay.pm),missing)
TEST_NEEDS := /usr/bin/curl=curl /usr/bin/swaks=swaks $(SSLEAY)=libnet-ssleay-perl /usr/bin/python3=python3 /usr/bin/socat=socat \
	/usr/sbin/nginx=nginx /usr/lib/nginx/modules/ngx_stream_module.so=libnginx-mod-stream /usr/sbin/haproxy=haproxy \
	/usr/bin/openssl=openssl /usr/bin/sslscan=sslscan /usr/bin/strace=strace \
	/usr/bin/dig=bind9-dnsutils /usr/sbin/nsd=nsd /usr/bin/chromium=chromium \
	/usr/bin/wget=wget /usr/bin/ab=apache2-utils /usr/bin/h2load=nghttp2-client /usr/bin/wrk=wrk \
	/usr/lib/python3/dist-packages/requests/__init__.py=python3-requests \
	/usr/lib/python3/dist-packages/aiosmtpd/__init__.py=python3-aiosmtpd \
	/usr/lib/python3/dist-packages/matplotlib/__init__.py=python3-matplotlib \
	/usr/sbin/sendmail=postfix /usr/share/doc/libidn12=libidn12
BENCH_NEEDS := /usr/bin/openssl=openssl /usr/bin/wrk=wrk \
	/usr/lib/python3/dist-packages/matplotlib/__init__.py=python3-matplotlib \
	/usr/sbin/nginx=nginx /usr/bin/taskset=util-linux /usr/bin/strace=strace \
	/usr/bin/valgrind=valgrind /usr/include/http_parser.h=libhttp-parser-dev /usr/sbin/smtp-source=postfix

.PHONY: help build serve test test-sanitizers bench fuzz clean build-needs test-needs bench-needs

help:
	@echo 'make serve   build for release and start the sample servers'
	@echo 'make test    build and run every test'
	@echo 'make test-sanitizers   the tests under AddressSanitizer and ThreadSanitizer'
	@echo 'make fuzz    let libFuzzer look for bad inputs, FUZZ_SECONDS=60 for each of its targets'
	@echo 'make bench   measure ours beside nginx, hand-written C, Postfix and other Swift servers, some 25 minutes'
	@echo 'make clean   remove what was built'

build: build-needs
	swift build -c release --product reactor

serve: build
	$(REACTOR) serve demo

test: build-needs test-needs
	swift test --package-path Benchmarks
	swift build --build-tests
	swift test --skip-build

test-sanitizers: build-needs test-needs
	Tests/Sanitizers/run

fuzz: build-needs
	Tests/Fuzzing/run

bench: build bench-needs
	swift build -c release --product lookup-load
	swift build -c release --product parser-load
	swift build -c release --product queue-load
	swift build -c release --package-path Benchmarks --product floor
	swift build -c release --package-path Benchmarks --product load
	swift build -c release --package-path Benchmarks --product bench
	swift build -c release --package-path Benchmarks/Peers
	Benchmarks/.build/release/bench run all

clean:
	rm -rf .build Benchmarks/.build Benchmarks/Peers/.build

# Installs the packages whose file is missing. apt asks nothing (postfix, which would, is told to configure nothing), and a policy that is there meanwhile, unless the system
# has one, keeps it from starting the servers that it installs (policy-rc.d, exit status 101).
POLICY := /usr/sbin/policy-rc.d
install = missing=; for need in $(1); do [ -e "$${need%%=*}" ] || missing="$$missing $${need\#*=}"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; \
	  if [ ! -e $(POLICY) ]; then trap '$(SUDO) rm -f $(POLICY)' EXIT; \
	    printf '\043!/bin/sh\nexit 101\n' | $(SUDO) tee $(POLICY) >/dev/null; $(SUDO) chmod 755 $(POLICY); fi; \
	  case "$$missing" in *\ postfix*) \
	    echo 'postfix postfix/main_mailer_type select No configuration' | $(SUDO) debconf-set-selections;; esac; \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi

build-needs:
	@$(call install,$(BUILD_NEEDS))

# Exim would push Postfix out: it is unpacked, not installed. Without it its tests are skipped.
EXIM := .build/exim
test-needs:
	@$(call install,$(TEST_NEEDS))
	@[ -e $(EXIM)/usr/sbin/exim4 ] || { mkdir -p $(EXIM) && cd $(EXIM) && rm -f *.deb && \
	  apt-get download -qq -o APT::Sandbox::User=root exim4-daemon-light && dpkg -x exim4-daemon-light_*.deb .; } \
	  || echo 'Exim cannot be had: the tests with it are skipped'

bench-needs:
	@$(call install,$(BENCH_NEEDS))
