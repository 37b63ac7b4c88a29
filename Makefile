# What each target needs is installed when it is missing, and nothing is done when it is there.

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
REACTOR := .build/release/reactor

# A file that a package brings, and the package. Postfix would push another mail server out: it is taken where there is none,
# and its tests are skipped elsewhere.
BUILD_NEEDS := /usr/include/ev.h=libev-dev /usr/include/sqlite3.h=libsqlite3-dev /usr/include/openssl/ssl.h=libssl-dev \
	/usr/include/ares.h=libc-ares-dev /usr/include/idn2.h=libidn2-dev \
	/usr/include/zlib.h=zlib1g-dev /usr/include/brotli/encode.h=libbrotli-dev /usr/include/zstd.h=libzstd-dev
# Servers that ours is measured beside, and that are left out where they cannot be had. apache2-bin has no service, and no
# configuration of its own.
PEER_NEEDS := /usr/bin/h2o=h2o /usr/sbin/apache2=apache2-bin /usr/bin/python3=python3 \
	/usr/lib/python3/dist-packages/twisted/__init__.py=python3-twisted \
	/usr/lib/python3/dist-packages/aiosmtpd/__init__.py=python3-aiosmtpd \
	/usr/include/jsonrpccpp/server.h=libjsonrpccpp-dev
# swaks speaks TLS by Net::SSLeay, which lies where the system's libraries do.
SSLEAY := $(or $(wildcard /usr/lib/*/perl5/*/Net/SSLeay.pm),missing)
TEST_NEEDS := /usr/bin/curl=curl /usr/bin/swaks=swaks $(SSLEAY)=libnet-ssleay-perl /usr/bin/socat=socat \
	/usr/sbin/nginx=nginx /usr/lib/nginx/modules/ngx_stream_module.so=libnginx-mod-stream /usr/sbin/haproxy=haproxy \
	/usr/bin/openssl=openssl /usr/bin/sslscan=sslscan /usr/bin/strace=strace /usr/bin/valgrind=valgrind /usr/bin/strip=binutils \
	/usr/bin/dig=bind9-dnsutils /usr/sbin/nsd=nsd /usr/bin/chromium=chromium \
	/usr/bin/wget=wget /usr/bin/ab=apache2-utils /usr/bin/h2load=nghttp2-client /usr/bin/wrk=wrk \
	/usr/lib/python3/dist-packages/requests/__init__.py=python3-requests \
	/usr/lib/python3/dist-packages/matplotlib/__init__.py=python3-matplotlib \
	/usr/sbin/sendmail=postfix /usr/share/doc/libidn12=libidn12
BENCH_NEEDS := /usr/bin/openssl=openssl /usr/bin/wrk=wrk \
	/usr/lib/python3/dist-packages/matplotlib/__init__.py=python3-matplotlib \
	/usr/sbin/nginx=nginx /usr/bin/taskset=util-linux /usr/bin/strace=strace \
	/usr/bin/valgrind=valgrind /usr/include/http_parser.h=libhttp-parser-dev /usr/sbin/sendmail=postfix

# A peer in C++, where its library is; beside what SwiftPM builds, whose directories it makes itself.
PEER_CXX := $(or $(shell command -v clang++),$(CXX))
CXX_PEER := Benchmarks/Peers/.build/c++/jsonrpc-cpp-peer
cxx-peer = [ ! -e /usr/include/jsonrpccpp/server.h ] || $(MAKE) --no-print-directory $(CXX_PEER) \
	|| echo 'the peer in C++ cannot be built: it is left out'
SWIFT_PEERS := nio-peer hummingbird-peer http-parser-peer

.PHONY: help build serve test test-sanitizers counts update-counts bench bench-full bench-build micro update-micro fuzz clean build-needs test-needs bench-needs

help:
	@echo 'make serve   build for release and start the sample servers'
	@echo 'make test    build and run every test'
	@echo 'make test-sanitizers   the tests under AddressSanitizer and ThreadSanitizer'
	@echo 'make fuzz    let libFuzzer look for bad inputs, FUZZ_SECONDS=60 for each of its targets'
	@echo 'make bench   measure the architectures beside the floor and the peers that are there, in ten minutes, and make a report'
	@echo 'make bench-full   measure everything, some two hours, and make a report'
	@echo 'make micro   time pieces of ours, and count their allocations, against what is committed; some minutes'
	@echo 'make counts  count instructions of pieces of ours against what is committed; make test does this, too'
	@echo 'make clean   remove what was built'

build: build-needs
	swift build -c release --product reactor

serve: build
	$(REACTOR) serve demo

# The benchmarks' tests are made with what was built before them.
test: build-needs test-needs
	@$(cxx-peer)
	swift build --build-tests
	swift test --package-path Benchmarks
	swift test --skip-build
	$(MAKE) --no-print-directory counts

# Of a release build: what the compiler leaves in a debug build says nothing. Only what is counted is built.
counts: build-needs test-needs
	swift build -c release --product instruction-counts
	.build/release/instruction-counts check

update-counts: build-needs test-needs
	swift build -c release --product instruction-counts
	.build/release/instruction-counts update

test-sanitizers: build-needs test-needs
	Tests/Sanitizers/run

fuzz: build-needs
	Tests/Fuzzing/run

# What is measured, and what measures.
bench-build: build bench-needs
	@$(cxx-peer)
	swift build -c release --product lookup-load
	swift build -c release --product parser-load
	swift build -c release --product queue-load
	swift build -c release --package-path Benchmarks --product floor
	swift build -c release --package-path Benchmarks --product load
	swift build -c release --package-path Benchmarks --product bench
	@for peer in $(SWIFT_PEERS); do swift build -c release --package-path Benchmarks/Peers --product $$peer \
	  || echo "$$peer cannot be built: it is left out"; done

# What cannot be measured is in the report, with its reason; the report is made all the same.
bench: bench-build
	Benchmarks/.build/release/bench run short --report

bench-full: bench-build
	Benchmarks/.build/release/bench run all --report

$(CXX_PEER): Benchmarks/Peers/Sources/jsonrpc-cpp-peer/main.cpp
	mkdir -p $(@D)
	$(PEER_CXX) -O2 -std=c++17 -I/usr/include/jsoncpp -o $@ $< -ljsonrpccpp-server -ljsonrpccpp-common -lmicrohttpd -ljsoncpp

micro: build-needs
	swift package --package-path Benchmarks/Micro benchmark thresholds check --no-progress --path Benchmarks/Micro/Thresholds

update-micro: build-needs
	swift package --package-path Benchmarks/Micro --allow-writing-to-package-directory \
		benchmark thresholds update --no-progress --path Benchmarks/Micro/Thresholds

clean:
	rm -rf .build Benchmarks/.build Benchmarks/Peers/.build Benchmarks/Micro/.build

# Installs the packages whose file is missing. apt asks nothing (postfix, which would, is told to configure nothing), and a policy
# that is there meanwhile, unless the system has one, keeps it from starting the servers that it installs (policy-rc.d, exit
# status 101). The second argument is what is done where they cannot all be had.
POLICY := /usr/sbin/policy-rc.d
apt := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
install = missing=; for need in $(1); do [ -e "$${need%%=*}" ] || missing="$$missing $${need\#*=}"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; \
	  if [ ! -e $(POLICY) ]; then trap '$(SUDO) rm -f $(POLICY)' EXIT; \
	    printf '\043!/bin/sh\nexit 101\n' | $(SUDO) tee $(POLICY) >/dev/null; $(SUDO) chmod 755 $(POLICY); fi; \
	  case "$$missing" in *\ postfix*) \
	    echo 'postfix postfix/main_mailer_type select No configuration' | $(SUDO) debconf-set-selections;; esac; \
	  { $(SUDO) apt-get update -qq && $(apt) $$missing; } || $(2); fi
one-by-one = for package in $$missing; do $(apt) $$package || echo "$$package cannot be had: what needs it is left out"; done

build-needs:
	@$(call install,$(BUILD_NEEDS),exit 1)

# Exim would push Postfix out: it is unpacked, not installed. Without it its tests are skipped.
EXIM := .build/exim
test-needs:
	@$(call install,$(TEST_NEEDS),exit 1)
	@$(call install,$(PEER_NEEDS),$(one-by-one))
	@[ -e $(EXIM)/usr/sbin/exim4 ] || { mkdir -p $(EXIM) && cd $(EXIM) && rm -f *.deb && \
	  apt-get download -qq -o APT::Sandbox::User=root exim4-daemon-light && dpkg -x exim4-daemon-light_*.deb .; } \
	  || echo 'Exim cannot be had: the tests with it are skipped'

bench-needs:
	@$(call install,$(BENCH_NEEDS) $(PEER_NEEDS),$(one-by-one))
