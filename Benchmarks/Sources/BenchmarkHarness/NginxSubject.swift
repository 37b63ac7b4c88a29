extension Subject {
    package static let nginx = Subject(
        name: "nginx", summary: "nginx, answering from its configuration (if installed)",
        command: { service, _, _ in
            switch service {
            case .http, .shortHTTP, .bytes, .https, .shortHTTPS, .httpsFile, .kibibyte, .kibibytes64, .mebibytes10: ["nginx", "-c"]
            default: nil
            }
        },
        configuration: { service, place in [try place.write(nginxConfiguration(service, place), to: "configuration")] },
        hasExactFields: false, needs: { _ in ["nginx"] })
}

/// One process, as the floor and the reactor have; nothing logged. With keep-alive, connections are never ended for
/// having made many requests, since reconnecting isn't what is measured then.
private func nginxConfiguration(_ service: Service, _ place: ServerPlace) -> String {
    let (directory, material) = (place.directory, place.material)
    return """
    daemon off;
    # The single process is then ours to stop; with a master, a killed harness would leave a worker behind.
    master_process off;
    pid \(directory)/nginx.pid;
    error_log stderr;
    events {
        use epoll;
        # By default 512.
        worker_connections 20000;
        # All connections that wait at a turn of the loop, as the reactor takes them.
        multi_accept on;
    }
    http {
        access_log off;
        # No version in the Server field, which is shorter.
        server_tokens off;
        # No answer waits for the acknowledgement of the one before.
        tcp_nodelay on;
        # Files go from the page cache to the socket.
        sendfile on;
        # The head goes in one packet with the beginning of the file.
        tcp_nopush on;
        # Reconnecting isn't what is measured: by default a connection ends after 75 s without a request, or 1000 requests.
        keepalive_timeout \(service.isShort ? "0" : "300s");
        keepalive_requests 1000000000;
        # Directories that it makes at its start, though nothing is put into them.
        client_body_temp_path \(directory)/body;
        proxy_temp_path \(directory)/proxy;
        fastcgi_temp_path \(directory)/fastcgi;
        uwsgi_temp_path \(directory)/uwsgi;
        scgi_temp_path \(directory)/scgi;
        server {
            # The kernel cuts the backlog to what it allows; by default it is 511.
            listen 127.0.0.1:\(place.port) backlog=4096\(service.usesTLS ? " ssl" : "");
            \(service.usesTLS ? tlsConfiguration(material) : "")
            root \(material.root);
            location = /plaintext {
                default_type text/plain;
                return 200 "Hello, World!";
            }
            # A file: nginx's `return` would copy the text for each answer, too, and could not hold so much of it.
            location = /bytes {
                default_type text/plain;
                alias \(material.root)/64-kibibytes;
                # The file stays open, and is not looked for again while anything is measured.
                open_file_cache max=16 inactive=1h;
                open_file_cache_valid 1h;
            }
        }
    }
    """
}

/// Mozilla's intermediate profile, as ours by default; tickets and buffers as nginx has them by default.
private func tlsConfiguration(_ material: Material) -> String {
    """
    ssl_certificate \(material.certificate);
    ssl_certificate_key \(material.key);
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ecdh_curve X25519:prime256v1:secp384r1;
    ssl_prefer_server_ciphers off;
    """
}
