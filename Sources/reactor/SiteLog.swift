import ConnectionHandling
import Glibc
import Reactor
import ReactorWeb

/// The access log of a site, in a file or on standard output.
struct SiteLog {
    let sink: LogSink
    let middleware: [any HTTPMiddleware]

    /// - Parameter flushesAtOnce: for processes that may end as soon as their connection does.
    init(_ path: String, _ format: AccessLog.Format, flushesAtOnce: Bool) throws(SystemError) {
        let descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        if descriptor < 0 { throw SystemError("open the access log \(path)", errno: errno) }
        sink = LogSink(descriptor: descriptor)
        // The first hears last of an exchange's end.
        middleware = (flushesAtOnce ? [Flush(sink: sink)] : []) + [AccessLog(to: sink, format: format)]
    }

    private struct Flush: HTTPMiddleware {
        let sink: LogSink
        func ended(_ summary: borrowing ExchangeSummary) { sink.flush() }
    }
}

/// The files of a site, and where they are.
struct SiteFiles {
    let root: String
    let files: StaticFiles

    init(_ root: String, _ options: StaticFileOptions = StaticFileOptions()) throws {
        self.root = root
        files = StaticFiles(root: try DocumentRoot(root), options: options)
    }
}
