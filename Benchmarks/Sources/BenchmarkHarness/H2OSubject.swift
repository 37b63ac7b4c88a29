import Glibc

extension Subject {
    package static let h2o = Subject(
        name: "h2o", summary: "h2o, answering from files, which it opens for their answers (if installed)",
        // In the foreground, without a process that watches over it.
        command: { service, _, _ in [.http, .shortHTTP, .bytes].contains(service) ? ["h2o", "-m", "worker", "-c"] : nil },
        configuration: { _, place in [try place.write(h2oConfiguration(place), to: "configuration")] },
        hasExactFields: false, needs: { _ in ["h2o"] })
}

/// One thread, as the floor and the reactor have.
private func h2oConfiguration(_ place: ServerPlace) -> String {
    """
    num-threads: 1
    # Started by root it would become `nobody`, which may not reach the files.
    \(geteuid() == 0 ? "user: root" : "")
    # By default 1024.
    max-connections: 20000
    # Reconnecting isn't what is measured: by default idle connections end after 10 s.
    http1-request-timeout: 300
    error-log: /dev/stderr
    # A process that waits for a crash to explain, by default one of Perl, whose memory would be counted.
    crash-handler: /bin/cat
    listen:
      host: 127.0.0.1
      port: \(place.port)
    hosts:
      default:
        paths:
          # The cheapest answer that it has: mruby and FastCGI cost more.
          /plaintext:
            file.file: \(place.material.root)/plaintext
          /bytes:
            file.file: \(place.material.root)/64-kibibytes
        file.mime.setdefaulttype: text/plain
        # What the others don't send either.
        file.etag: OFF

    """
}
