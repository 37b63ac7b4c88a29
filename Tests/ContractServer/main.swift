// A server whose handler does what its input says, so that one suite of cases can be run against every driver.
// usage: contract-server ARCHITECTURE [LOOPS] [SETTING=NUMBER ...]
//   max, per-peer    ListenOptions.maxConnections and maxConnectionsPerPeer
//   workers          ServerOptions.workers
//   datagrams        1: datagram endpoints too
//   descriptors      how many more this process may open once it listens
// usage: contract-server leaks KIND COUNT
//   makes connections of one kind, and exits with 1 where they leave anything behind
import ConnectionHandling
import Foundation
import Reactor
import ServerArchitectures

if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "leaks", let kind = LeakTest.Kind(rawValue: CommandLine.arguments[2]) {
    let left = try LeakTest.leftOver(kind, Int(CommandLine.arguments[3]) ?? 0)
    if let left { print(left) }
    exit(left == nil ? 0 : 1)
}
guard CommandLine.arguments.count >= 2, let architecture = Architecture(rawValue: CommandLine.arguments[1]) else {
    FileHandle.standardError.write(Data("usage: contract-server ARCHITECTURE [LOOPS] [SETTING=NUMBER ...]\n".utf8))
    exit(64)
}
var settings: [String: Int] = [:]
for argument in CommandLine.arguments.dropFirst(3) {
    let parts = argument.split(separator: "=")
    if parts.count == 2 { settings[String(parts[0])] = Int(parts[1]) }
}
var options = ServerOptions(architecture: architecture)
options.loops = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 1 : 1
options.workers = settings["workers"] ?? 8
options.grace = .seconds(2)
var listening = ListenOptions()
listening.maxConnections = settings["max"] ?? listening.maxConnections
listening.maxConnectionsPerPeer = settings["per-peer"] ?? listening.maxConnectionsPerPeer
var limits = ConnectionLimits()
limits.maxReceivedDescriptors = 2

let ledger = Ledger()
let directory = FileManager.default.temporaryDirectory.path
let addresses: [SocketAddress] = [
    .loopback(port: 0), .ipv6(high: 0, low: 1, port: 0), .unix(path: "\(directory)/contract-\(getpid()).sock"),
]
var endpoints = addresses.map { Endpoint($0, limits: limits, options: listening) { Scripted(ledger) } }
if settings["datagrams"] == 1 { endpoints += ScriptedDatagrams.endpoints(path: "\(directory)/contract-\(getpid()).dgram") }
let server = try Server(options, endpoints: endpoints)
try server.stop(on: .terminate, .interrupt)
for address in server.addresses { FileHandle.standardError.write(Data("listening on contract://\(address)\n".utf8)) }
if let more = settings["descriptors"] {
    var limit = rlimit(rlim_cur: rlim_t(openDescriptors + more), rlim_max: rlim_t(openDescriptors + more))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
try server.run()
