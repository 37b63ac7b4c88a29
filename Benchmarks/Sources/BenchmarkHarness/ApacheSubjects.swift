extension Subject {
    /// Apache's three ways to share its connections among processes and threads, by name.
    package static let apaches: [Subject] = [
        apache("prefork", "a process for each connection") { workers in
            """
            StartServers \(workers)
            MinSpareServers \(workers)
            MaxSpareServers \(workers)
            ServerLimit \(workers)
            MaxRequestWorkers \(workers)
            """
        },
        apache("worker", "one process, a thread for each connection") { workers in
            """
            ServerLimit 1
            StartServers 1
            ThreadLimit \(workers)
            ThreadsPerChild \(workers)
            MinSpareThreads 1
            MaxSpareThreads \(workers)
            MaxRequestWorkers \(workers)
            """
        },
        apache("event", "one process, a thread that waits and others that serve") { workers in
            // While none is idle it closes connections that are kept alive: half as many more than connections that are busy.
            let threads = workers + workers / 2 + 1
            return """
                ServerLimit 1
                StartServers 1
                ThreadLimit \(threads)
                ThreadsPerChild \(threads)
                MinSpareThreads 1
                MaxSpareThreads \(threads)
                MaxRequestWorkers \(threads)
                # How many connections it keeps for each thread that is idle: by default 2, and the others are closed.
                AsyncRequestWorkerFactor 1000
                """
        },
    ]

    private static func apache(
        _ module: String, _ summary: String, _ processes: @escaping @Sendable (_ workers: Int) -> String
    ) -> Subject {
        Subject(
            name: "apache-\(module)", summary: "Apache's \(module): \(summary) (if installed)",
            command: { service, _, _ in
                [.http, .shortHTTP, .bytes].contains(service) ? ["apache2", "-D", "FOREGROUND", "-f"] : nil
            },
            configuration: { service, place in
                let text = apacheConfiguration(module, processes(max(1, min(place.workers, 1024))), service, place)
                return [try place.write(text, to: "configuration")]
            },
            hasExactFields: false, maximumConnections: module == "event" ? .max : 1024,
            workerName: module == "worker" ? "threads" : "processes",
            needs: { _ in ["apache2", "\(modules)/mod_mpm_\(module).so"] })
    }
}

/// Where Debian has them.
private let modules = "/usr/lib/apache2/modules"

/// Nothing of the system's configuration is read, nothing is logged, and no module is loaded that isn't needed.
private func apacheConfiguration(_ module: String, _ processes: String, _ service: Service, _ place: ServerPlace) -> String {
    """
    ServerRoot \(place.directory)
    DefaultRuntimeDir \(place.directory)
    PidFile \(place.directory)/pid
    # Kept in memory: the directory may go.
    Mutex pthread
    ServerName localhost
    Listen 127.0.0.1:\(place.port)
    # As the others have; the kernel cuts it to what it allows.
    ListenBacklog 4096
    LoadModule mpm_\(module)_module \(modules)/mod_mpm_\(module).so
    LoadModule authz_core_module \(modules)/mod_authz_core.so
    LoadModule alias_module \(modules)/mod_alias.so
    LoadModule file_cache_module \(modules)/mod_file_cache.so
    \(processes)
    # A process that is replaced would be measured twice.
    MaxConnectionsPerChild 0
    # Started by root it becomes another user, who must be named.
    User nobody
    Group nogroup
    ErrorLog /dev/stderr
    LogLevel warn
    ServerTokens Prod
    # Reconnecting isn't what is measured: by default a connection ends after 100 requests, or 5 s.
    KeepAlive \(service.isShort ? "Off" : "On")
    MaxKeepAliveRequests 0
    KeepAliveTimeout 300
    DocumentRoot \(place.material.root)
    Alias /bytes \(place.material.root)/64-kibibytes
    # The cheapest answer that it has: a file that is mapped when it starts, and neither looked for nor opened again.
    MMapFile \(place.material.root)/plaintext
    MMapFile \(place.material.root)/64-kibibytes
    <Directory />
        # Neither links nor .htaccess files are looked for in each directory of the path.
        Options FollowSymLinks
        AllowOverride None
        Require all granted
        ForceType text/plain
        # What the others don't send either.
        FileETag None
    </Directory>

    """
}
