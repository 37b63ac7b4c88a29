extension Subject {
    package static let nginx = Subject(
        name: "nginx", summary: "nginx, answering from its configuration (if installed)",
        command: { service, _, _ in
            service == .http || service == .shortHTTP ? ["nginx", "-c"] : nil
        },
        configuration: nginxConfiguration,
        hasExactFields: false)
}

/// One process, as the floor and the reactor have; nothing logged. With keep-alive, connections are never ended for
/// having made many requests, since reconnecting isn't what is measured then.
private func nginxConfiguration(service: Service, port: UInt16, directory: String) -> String {
    """
    daemon off;
    # The single process is then ours to stop; with a master, a killed harness would leave a worker behind.
    master_process off;
    pid \(directory)/nginx.pid;
    error_log stderr;
    events {
        use epoll;
        worker_connections 20000;
        multi_accept on;
    }
    http {
        access_log off;
        server_tokens off;
        tcp_nodelay on;
        keepalive_timeout \(service == .shortHTTP ? "0" : "300s");
        keepalive_requests 1000000000;
        client_body_temp_path \(directory)/body;
        proxy_temp_path \(directory)/proxy;
        fastcgi_temp_path \(directory)/fastcgi;
        uwsgi_temp_path \(directory)/uwsgi;
        scgi_temp_path \(directory)/scgi;
        server {
            listen 127.0.0.1:\(port) backlog=4096;
            location = /plaintext {
                default_type text/plain;
                return 200 "Hello, World!";
            }
        }
    }
    """
}
