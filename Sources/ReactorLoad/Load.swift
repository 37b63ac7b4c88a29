import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS
import ReactorNames
import ReactorTLS

/// Puts a load on a server and measures how it answers.
///
/// ```swift
/// var plan = LoadPlan(try LoadTarget(parsing: "http://127.0.0.1:8080/"))
/// plan.arrivals = .init(rate: 5_000)
/// let report = try Load(plan).run()
/// print(report.latency.p99, report.isVouched)
/// ```
///
/// One thread, the calling one, with a loop of its own.
public struct Load {
    private let plan: LoadPlan
    private let tls: TLSClientContext?

    /// - Throws: ``LoadMistake``, also for a file of authorities that cannot be used.
    public init(_ plan: LoadPlan) throws(LoadMistake) {
        try plan.validate()
        self.plan = plan
        guard plan.target.scheme.isTLS else {
            tls = nil
            return
        }
        var configuration = plan.tls
        // Every handshake is a whole one: what a new client costs.
        configuration.cachedSessions = 0
        configuration.limits.handshakeTime = .seconds(plan.timeout)
        if plan.target.scheme.isHTTP { configuration.applicationProtocols = ["http/1.1"] }
        do throws(TLSConfigurationError) {
            let context = try TLSClientContext(configuration)
            _ = try context.makeSession(serverName: plan.target.host)
            tls = context
        } catch {
            throw LoadMistake("\(error)")
        }
    }

    /// Runs the load to its end. Blocks.
    ///
    /// - Parameters:
    ///   - endsOnInterrupt: SIGINT ends it early, with what there is; a second one ends the process.
    ///   - onMoment: told about each second.
    /// - Throws: ``LoadFailure`` if no connection can be made, or nothing was measured.
    public func run(
        endsOnInterrupt: Bool = false, onMoment: ((LoadMoment) -> Void)? = nil
    ) throws(LoadFailure) -> LoadReport {
        try checkDescriptors()
        let address = try Self.resolve(plan.target)
        let loop: EventLoop
        do throws(SystemError) { loop = try EventLoop() } catch { throw LoadFailure("\(error)") }
        let run = try LoadRun(plan, to: address, tls: tls, on: loop)
        run.onMoment = onMoment
        if endsOnInterrupt { try Self.watchInterrupts(of: run, on: loop) }
        return try run.perform()
    }

    private static func watchInterrupts(of run: LoadRun, on loop: EventLoop) throws(LoadFailure) {
        do throws(SystemError) {
            var watcher: Watcher?
            watcher = try loop.on(.interrupt) { [unowned run] in
                watcher?.cancel()
                run.interrupt()
            }
        } catch {
            throw LoadFailure("\(error)")
        }
    }

    /// Descriptors beside those of connections.
    private static let otherDescriptors = 32

    private func checkDescriptors() throws(LoadFailure) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let needed = plan.connections + plan.idle + Self.otherDescriptors
        if limit.rlim_cur < UInt(needed) {
            throw LoadFailure("\(needed) descriptors are needed, and \(limit.rlim_cur) allowed: raise the limit (ulimit -n \(needed))")
        }
    }

    /// The address that all connections go to: the first that the name has.
    private static func resolve(_ target: LoadTarget) throws(LoadFailure) -> SocketAddress {
        switch target.place {
        case .address(let address): return address
        case .host(let host, let port):
            var why = "it has no address"
            do throws(SystemError) {
                let resolver = try BlockingResolver()
                for type in [RecordType.a, .aaaa] {
                    do throws(ResolutionError) {
                        let answer = try resolver.lookUp(host, type)
                        if let address = answer.records.lazy.compactMap(\.data.address).first { return address.socketAddress(port: port) }
                    } catch {
                        why = "\(error)"
                    }
                }
            } catch {
                why = "\(error)"
            }
            throw LoadFailure("cannot find \(host): \(why)")
        }
    }
}
