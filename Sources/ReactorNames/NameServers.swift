import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS

/// The servers to ask, and how names are completed: by the options, and by the system's configuration for what they leave
/// open.
struct NameServers {
    private let options: ResolverOptions
    private let interest: (CInt, _ readable: Bool, _ writable: Bool, AresChannel?) -> Void
    private var changes: FileChanges
    private var configuration: SystemConfiguration
    private(set) var channels: [AresChannel] = []
    /// Those of an earlier configuration, with queries still under way.
    private var retired: [AresChannel] = []
    private(set) var searchList: SearchList

    init(
        options: ResolverOptions, interest: @escaping (CInt, _ readable: Bool, _ writable: Bool, AresChannel?) -> Void
    ) throws(SystemError) {
        self.options = options
        self.interest = interest
        changes = FileChanges(path: options.configurationFile)
        configuration = try SystemConfiguration(reading: options.configurationFile)
        searchList = try Self.searchList(options, configuration)
        channels = try makeChannels()
    }

    /// Reads the configuration again if it has changed, and says whether other servers are asked now. What cannot be read
    /// changes nothing.
    mutating func refresh(at now: MonotonicTime) -> Bool {
        for channel in retired where channel.outstanding == 0 { channel.close() }
        retired.removeAll { $0.outstanding == 0 }
        guard changes.haveCome(at: now) else { return false }
        guard let read = try? SystemConfiguration(reading: options.configurationFile) else {
            changes.lookAgain()
            return false
        }
        guard read != configuration, let list = try? Self.searchList(options, read) else { return false }
        let serversChanged = options.servers.isEmpty && read.servers != configuration.servers
        let previous = configuration
        (configuration, searchList) = (read, list)
        guard serversChanged else { return false }
        guard let fresh = try? makeChannels() else {
            configuration = previous
            changes.lookAgain()
            return false
        }
        retired += channels
        channels = fresh
        return true
    }

    /// All that may have queries under way.
    var all: [AresChannel] { channels + retired }

    private func makeChannels() throws(SystemError) -> [AresChannel] {
        let servers = options.servers.isEmpty ? configuration.servers : options.servers
        var made: [AresChannel] = []
        for server in servers {
            do throws(SystemError) {
                made.append(try makeChannel(server))
            } catch {
                for channel in made { channel.close() }
                throw error
            }
        }
        return made
    }

    private func makeChannel(_ server: SocketAddress) throws(SystemError) -> AresChannel {
        // Known only once it is made; until then it has no sockets.
        weak var made: AresChannel?
        let channel = try AresChannel(server: server, timeout: options.timeout, payloadSize: options.payloadSize) {
            [interest] in interest($0, $1, $2, made)
        }
        made = channel
        return channel
    }

    private static func searchList(
        _ options: ResolverOptions, _ system: SystemConfiguration
    ) throws(SystemError) -> SearchList {
        var domains = system.searchDomains
        if let given = options.searchDomains {
            domains = []
            for text in given {
                guard let name = try? DomainName(parsing: text) else {
                    throw SystemError("complete names by '\(text)'", errno: EINVAL)
                }
                domains.append(name)
            }
        }
        return SearchList(domains: domains, ndots: options.ndots ?? system.ndots)
    }
}
