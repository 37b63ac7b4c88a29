public import Reactor

/// How a server shares its connections among threads and processes. The handlers are the same under each.
public enum Architecture: String, CaseIterable, Sendable {
    /// Event loops, each on a thread of its own, each serving many connections.
    case reactor
    /// A thread for each connection.
    case thread
    /// A fixed number of threads; each accepts a connection, serves it to its end, and accepts the next.
    case threadPool = "thread-pool"
    /// A forked process for each connection.
    case fork
    /// A fixed number of forked processes; each accepts a connection, serves it to its end, and accepts the next.
    case prefork
    /// One connection after another.
    case iterative

    /// Whether connections are served by forked processes: the process that starts such a server must have one thread.
    public var forks: Bool { self == .fork || self == .prefork }
}

/// What a server is made of, beside its endpoints. Every number has a default.
public struct ServerOptions: Sendable {
    public var architecture = Architecture.reactor
    /// Event loops of ``Architecture/reactor``.
    public var loops = 1
    /// How the loops of ``Architecture/reactor`` ask the kernel what is ready.
    public var backend = EventLoop.Backend.epoll
    /// The most threads that each loop of ``Architecture/reactor`` has for what handlers `perform`. 4: enough to overlap disk
    /// waits, few enough not to crowd the loops.
    public var offloadThreads = 4
    /// Threads of ``Architecture/threadPool``, processes of ``Architecture/prefork``: how many connections are served at
    /// once. 64: each holds a stack or a process, not just a buffer.
    public var workers = 64
    /// Threads or processes that ``Architecture/thread`` and ``Architecture/fork`` may have at a time; further
    /// connections wait to be accepted. 1,024: what a machine bears without tuning.
    public var maxPerConnectionWorkers = 1_024
    /// How long connections may take to finish what is in flight once the server is told to stop.
    public var grace = Duration.seconds(10)
    /// Called with each loop of ``Architecture/reactor``, on its own thread, before it serves: for timers and watchers of
    /// one's own.
    public var prepareLoop: (@Sendable (EventLoop) -> Void)?

    public init() {}

    public init(architecture: Architecture) { self.architecture = architecture }
}
