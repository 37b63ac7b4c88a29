import Foundation

/// A quantity that a run measures. The raw value is its key in the raw results, with its unit.
package enum Metric: String, CaseIterable, Sendable {
    case requests
    case requestsPerSecond = "requests_per_second"
    /// The same as wrk counts them.
    case wrkRequestsPerSecond = "wrk_requests_per_second"
    /// What was asked for, where the load has a rate of its own.
    case offeredPerSecond = "offered_per_second"
    /// CPU time of either generator, as a share of one core.
    case loadShare = "load_cpu_share"
    case wrkShare = "wrk_cpu_share"
    case p50 = "p50_us"
    case p90 = "p90_us"
    case p99 = "p99_us"
    case p999 = "p999_us"
    case worst = "max_us"
    /// User and system time of the server, its children included.
    case cpuPerRequest = "server_cpu_us_per_request"
    case userPerRequest = "server_cpu_user_us_per_request"
    case systemPerRequest = "server_cpu_system_us_per_request"
    /// Context switches of the server, its children included: because it waited, and because another was to run.
    case voluntarySwitches = "voluntary_switches_per_request"
    case involuntarySwitches = "involuntary_switches_per_request"
    /// Counted by strace, on a server of its own.
    case systemCallsPerRequest = "system_calls_per_request"
    /// Jain's index of what the clients were given: 1 where all had the same.
    case fairness = "fairness_jain"
    /// From the end of an overload to the first second from which latency stays what it was before.
    case recoverySeconds = "recovery_seconds"
    /// From the first request of a burst to the last answer.
    case burstSeconds = "burst_seconds"
    /// CPU time of the harness while it measures, as a share of one core.
    case harnessShare = "harness_cpu_share"
    /// What went wrong with requests, by kind: no connection, cut off, too late, another status, no HTTP, not answered.
    case connectErrors = "errors_connect"
    case closedErrors = "errors_closed"
    case timeoutErrors = "errors_timeout"
    case statusErrors = "errors_status"
    case protocolErrors = "errors_protocol"
    case unanswered = "errors_unanswered"
    /// Of a request by the async handler.
    case cpuPerAsyncRequest = "server_cpu_us_per_async_request"
    case cpuPerKibibyteFile = "server_cpu_us_per_file_of_1_kib"
    case cpuPer64KibibyteFile = "server_cpu_us_per_file_of_64_kib"
    case cpuPer10MebibyteFile = "server_cpu_us_per_file_of_10_mib"
    /// Instructions for one head: of all, of those that browsers send, and of those that tools send.
    case instructionsPerHead = "instructions_per_head"
    case instructionsPerBrowserHead = "instructions_per_browser_head"
    case instructionsPerToolHead = "instructions_per_tool_head"
    case roundTripsPerSecond = "round_trips_per_second"
    case cpuPerRoundTrip = "server_cpu_us_per_round_trip"
    /// Accepted, answered and closed.
    case connectionsPerSecond = "connections_per_second"
    case connectionsPerCPUSecond = "connections_per_server_cpu_second"
    /// Session tickets (RFC 8446, section 4.6.1) that the server sent on each.
    case ticketsPerConnection = "tickets_per_connection"
    case cpuPerMebibyte = "server_cpu_us_per_mebibyte"
    case datagramsPerSecond = "datagrams_per_second"
    case cpuPerDatagram = "server_cpu_us_per_datagram"
    case datagramsLost = "datagrams_lost"
    case lookupsPerSecond = "lookups_per_second"
    /// Of the process that looks names up.
    case cpuPerLookup = "cpu_us_per_lookup"
    case systemCallsPerLookup = "system_calls_per_lookup"
    /// Sockets that it opened for all of the look-ups once.
    case sockets = "sockets_opened"
    /// Threads and processes that it started in all.
    case threads = "threads_started"
    /// Relayed, each kept on the disk before it was acknowledged.
    case messagesPerSecond = "durable_messages_per_second"
    case cpuPerMessage = "server_cpu_us_per_durable_message"
    /// The same of what keeps nothing.
    case unkeptPerSecond = "unkept_messages_per_second"
    case cpuPerUnkept = "server_cpu_us_per_unkept_message"
    case messages
    /// The slowest `queue list`.
    case listSeconds = "queue_list_seconds"
    /// From the start of the process to its greeting, and to the arrival of a message that was sent then.
    case readySeconds = "start_until_greeting_seconds"
    case firstDeliverySeconds = "start_until_delivery_seconds"
    /// Messages for dead destinations that were tried meanwhile.
    case messagesRefused = "messages_refused"
    /// From MAIL to the arrival at the next hop, one message at a time.
    case deliveryMedian = "delivery_p50_us"
    case deliveryWorst = "delivery_worst_us"
    /// PSS at the most, files' pages included.
    case memoryPeak = "pss_peak_bytes"
    case bytesPerSecond = "bytes_per_second"
    /// PSS of the server and its children before any load, one request answered.
    case memoryAtRest = "pss_at_rest_bytes"
    /// What PSS without files' pages grew by with the connections open, divided by the connections.
    case memoryPerConnection = "pss_per_connection_bytes"
    /// The same of connections that were answered once and are idle.
    case memoryPerIdleConnection = "pss_per_idle_connection_bytes"
    /// The same, of connections to an echo server.
    case memoryPerEchoConnection = "pss_per_echo_connection_bytes"
    /// The same with messages of half the size, and the difference for each message at once.
    case memoryGrowthOfSmall = "pss_peak_growth_half_size_bytes"
    case memoryGrowthBySize = "pss_peak_growth_by_size_bytes_per_message"
    /// What PSS without files' pages grew by at the most.
    case memoryGrowth = "pss_peak_growth_bytes"
    /// How many of the connections the server was serving.
    case served = "connections_served"
    case socketErrors = "socket_errors"
    case timeouts
    case badStatuses = "bad_statuses"
}

extension Metric {
    /// More of it is better.
    package var isBetterHigher: Bool { rawValue.hasSuffix("_per_second") || self == .fairness || self == .served }

    /// The clients see it: where the generator is the bottleneck, or late, it says as much of the generator as of the server.
    /// What a request costs the server, its memory and its switches are the server's whoever asks.
    package var isSeenByClients: Bool {
        switch self {
        case .requests, .requestsPerSecond, .wrkRequestsPerSecond, .p50, .p90, .p99, .p999, .worst, .fairness, .recoverySeconds,
            .burstSeconds: true
        default: false
        }
    }

    package var inWords: String { rawValue.replacing("_us", with: " µs").replacing("_", with: " ") }

    static let errors: [Metric] = [
        .connectErrors, .closedErrors, .timeoutErrors, .statusErrors, .protocolErrors, .unanswered,
    ]
}

package typealias Sample = [Metric: Double]

extension Sample {
    package static func memory(
        atRest: ProportionalSetSize, loaded: ProportionalSetSize, connections: Int
    ) -> Sample {
        let growth = Double(loaded.withoutFiles) - Double(atRest.withoutFiles)
        return [.memoryAtRest: Double(atRest.total), .memoryPerConnection: growth / Double(connections)]
    }
}

/// Quantities as a reader wants them.
package enum Format {
    package static func count(_ value: Double) -> String {
        value.formatted(.number.precision(.fractionLength(0)).locale(Locale(identifier: "en_US")))
    }

    package static func microseconds(_ value: Double) -> String {
        switch value {
        case ..<1000: String(format: "%.0f µs", value)
        case ..<1e6: String(format: "%.2f ms", value / 1000)
        default: String(format: "%.2f s", value / 1e6)
        }
    }

    package static func seconds(_ value: Double) -> String { String(format: "%.2f s", value) }
    package static func shortSeconds(_ value: Double) -> String { microseconds(value * 1e6) }
    package static func cost(_ value: Double) -> String { String(format: "%.2f", value) }
    package static func ratio(_ value: Double) -> String { String(format: "%.2f×", value) }
    package static func share(_ value: Double) -> String { String(format: "%.0f %%", value * 100) }
    package static func percent(_ value: Double) -> String { String(format: "±%.0f%%", value * 100) }

    package static func bytes(_ value: Double) -> String {
        switch abs(value) {
        case ..<1024: String(format: "%.0f B", value)
        case ..<(1024 * 1024): String(format: "%.1f KiB", value / 1024)
        default: String(format: "%.1f MiB", value / 1024 / 1024)
        }
    }
}
