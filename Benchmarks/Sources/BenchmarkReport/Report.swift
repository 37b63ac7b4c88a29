import BenchmarkHarness
import Foundation

/// All that a report says, before it is written in one form or another.
package struct Report: Sendable {
    package struct Section: Sendable {
        package let results: ExperimentResults
        package let summary: String
        package let figures: [Figure]
    }

    package let sections: [Section]
    package let noise: NoiseReport
    package let machines: [MachineLine]
    package let lines: [ResultLine]
    /// Numbers of the lines that could not be read.
    package let unreadable: [Int]

    /// Of interest to whoever chooses an architecture, and in this order; the others follow in the order of the file.
    private static let order = [
        "architectures", "peers", "offered-load", "slow-clients", "blocking", "burning", "mixed", "idle-herd", "overload", "burst",
        "smtp-architectures", "rpc-architectures", "echo-architectures",
    ]

    /// - Parameter summaries: what each experiment is, in a line, as far as it is known.
    package init(_ file: ResultLines, summaries: [String: String] = [:]) {
        // Round 0 is a calibration: it found out how much load there is to be. What failed in it is a failure.
        lines = file.lines.filter { $0.round != 0 || $0.failure != nil }
        unreadable = file.unreadable
        machines = lines.map { line in
            var machine = line.machine
            machine.loadBefore = nil
            machine.versions = [:]
            return machine
        }.uniqued()
        let styles = SubjectStyle.assigned(to: lines.map(\.subject))
        let groups = Dictionary(grouping: lines, by: \.experiment)
        let names = lines.map(\.experiment).uniqued()
        let known = Self.order.filter(names.contains)
        let experiments = (known + names.filter { !known.contains($0) }).map { ExperimentResults(name: $0, lines: groups[$0] ?? []) }
        sections = experiments.map {
            Section(results: $0, summary: summaries[$0.name] ?? "", figures: Figures($0, styles: styles).all)
        }
        noise = NoiseReport(experiments, styles: styles)
    }

    package var figures: [Figure] { sections.flatMap(\.figures) + [noise.figure].compactMap { $0 } }

    // MARK: The head

    /// The sentences that one would read if one read no more, each with the figure that shows it.
    package var findings: [(experiment: String, text: String, figure: String)] {
        let main = sections.filter { Self.order.contains($0.results.name) && !$0.figures.isEmpty }
        let shown = main.isEmpty ? Array(sections.filter { !$0.figures.isEmpty }.prefix(6)) : main
        return shown.enumerated().flatMap { index, section in
            // Of an overload it is the recovery that one asks for; of the others what comes first, if that tells anything.
            let main = section.figures.first { $0.title.hasPrefix("Time ") } ?? section.figures.first(where: \.isTelling)
            let figures = index == 0 ? section.figures : [main ?? section.figures[0]]
            return figures.map { (section.results.name, $0.sentence, $0.id) }
        }
    }

    /// What speaks against believing all of it; empty if nothing does.
    package var warnings: [String] {
        var warnings: [String] = []
        let failed = lines.count { $0.failure != nil && $0.leftOut == nil }
        let runs = lines.count { $0.leftOut == nil }
        let unvouched = lines.count { $0.failure == nil && !$0.vouched }
        if failed > 0 { warnings.append("\(failed) of \(runs) runs failed; the tables say which and why.") }
        if unvouched > 0 {
            warnings.append(
                "\(unvouched) of \(runs) runs are not vouched for: the load generator may have been what was measured. "
                    + "Throughput and latency of all rounds there are not ranked; what a request cost the server is.")
        }
        if machines.count > 1 {
            warnings.append("The file has runs of \(machines.count) machines, settings or commits: they are mixed here.")
        }
        if !unreadable.isEmpty {
            let numbers = unreadable.prefix(5).map(String.init).joined(separator: ", ") + (unreadable.count > 5 ? ", …" : "")
            warnings.append("\(unreadable.count == 1 ? "Line \(numbers)" : "Lines \(numbers)") of the results could not be read.")
        }
        if let schema = lines.compactMap(\.schema).max(), schema > 1 {
            warnings.append("The results have schema \(schema), which is newer than this report knows.")
        }
        warnings += mixtures
        let big = lines.map(\.experiment).uniqued().filter(Self.sendsMuch.contains)
        if !big.isEmpty, let control = lines.lazy.compactMap(\.machine.congestionControl).first(where: { $0 != "cubic" }) {
            warnings.append(
                "TCP was \(control), not cubic: under bbr the kernel sends by timers, and charges that to whichever process is on "
                    + "the CPU; CPU time of \(big.joined(separator: ", ")) says little of the server.")
        }
        if let least = sections.flatMap(\.results.cells).filter({ $0.runs > 0 && $0.failedRuns == 0 }).map(\.runs).min(), least < 3 {
            let what = least == 1 ? "One run of some subjects has no interval" : "\(least) runs of some subjects give a poor interval"
            warnings.append("\(what): make at least three rounds.")
        }
        return warnings
    }

    /// Experiments whose servers send large answers.
    private static let sendsMuch: Set = ["bodies", "http-static", "slow-clients", "slow-readers", "slow-download", "tls-bodies"]

    /// What one experiment has of both kinds should not be in one median.
    private var mixtures: [String] {
        sections.flatMap { section -> [String] in
            let lines = section.results.lines, name = section.results.name
            var warnings: [String] = []
            let durations = Set(lines.compactMap(\.duration)).sorted().map { String(format: "%g", $0) }
            if durations.count > 1 {
                warnings.append("\(name) has runs of \(durations.joined(separator: " and ")) s: they are mixed here.")
            }
            // As many workers as connections, unless one asks for others.
            let workers = Dictionary(grouping: lines, by: \.connections).values.map { Set($0.compactMap(\.workers)) }
            if let mixed = workers.filter({ $0.count > 1 }).min(by: { $0.sorted().lexicographicallyPrecedes($1.sorted()) }) {
                let numbers = mixed.sorted().map(String.init).joined(separator: " and ")
                warnings.append("\(name) has runs with \(numbers) workers at the same place: they are mixed here.")
            }
            return warnings
        }
    }

    /// What the page is about, as far as it is true of this file.
    package var lead: String {
        let ours = lines.allSatisfy { SubjectStyle.isOurs($0.subject) }
        let place = machines.count > 1 ? "on \(machines.count) machines, settings or commits" : "on one machine"
        return "The same protocol code under different architectures\(ours ? "" : ", and servers of others beside it"), \(place)."
    }

    /// Name and value of what the results depend on.
    package var facts: [(name: String, value: String)] {
        var facts: [(String, String)] = []
        let ended = lines.compactMap(\.ended).sorted()
        if let first = ended.first, let last = ended.last {
            facts.append(("when", first == last ? Self.time(first) : "\(Self.time(first)) to \(Self.time(last))"))
        }
        let runs = lines.count { $0.leftOut == nil }
        facts.append(("what", "\(runs) runs of \(sections.count) experiments, \(Set(lines.map(\.subject)).count) subjects"))
        for machine in machines.prefix(4) {
            let cpus = machine.cpus.map { ", \($0) CPUs" } ?? ""
            facts.append(("machine", [machine.cpu.map { $0 + cpus }, machine.kernel].compactMap { $0 }.joined(separator: "; ")))
            if let server = machine.serverCPU, let load = machine.loadCPU {
                facts.append(("placement", "servers on CPU \(server), load on CPU \(load)"))
            } else {
                facts.append(("placement", "server and load share the CPUs: compare CPU time only"))
            }
            let settings = [
                machine.congestionControl.map { "TCP \($0)" }, machine.spoolFileSystem.map { "spool on \($0)" },
            ].compactMap { $0 }
            if !settings.isEmpty { facts.append(("settings", settings.joined(separator: "; "))) }
            facts.append(("commit", machine.commit ?? "unknown"))
        }
        if let load = lines.compactMap(\.machine.loadBefore).max(), load >= 0 {
            facts.append(("load before", "\(Format.cost(load)) processes that wanted to run"))
        }
        let versions = lines.reduce(into: [String: Set<String>]()) { all, line in
            for (name, version) in line.machine.versions { all[name, default: []].insert(version) }
        }
        let text = versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.sorted().joined(separator: " and "))" }
        if !text.isEmpty { facts.append(("versions", text.joined(separator: ", "))) }
        return facts
    }

    private static func time(_ text: String) -> String {
        String(text.replacing("T", with: " ").replacing("Z", with: " UTC"))
    }

    package var method: String {
        let twice = sections.count { $0.results.hasTwins }
        let further = "the medians are further from each other than the same server was from itself"
        let alone = "where the same server was not measured twice, the interval alone decides"
        let rule = twice == 0 ? "; \(alone)" : ", and \(further)" + (twice < sections.count ? "; \(alone)" : "")
        return Self.method(rule: rule)
    }

    private static func method(rule: String) -> String {
        """
        Every run has a server process of its own, checked for correct answers before it is measured. Server and load are pinned to \
        CPUs apart. Subjects are interleaved, each round begins with another. Shown are medians; bars and bands are \
        \(Estimate.interval). Two subjects differ only if such an interval of their ratio, round by round, does not hold 1\(rule). \
        Otherwise “no difference can be told”, which does not say that there is none. Drawn hollow and never ranked are: throughput \
        and latency at places where the load generator does not vouch for every run (†); what serves but a part of its connections \
        (‡); what has errors in more than 1 % of its requests (§); percentiles that leave over fewer requests than were not answered \
        by the end, which are lower bounds (>); and what failed in any round. Times to answer under closed load compare servers; \
        they are not what clients that arrive by themselves would see.
        """
    }

    /// What makes the runs of an experiment again.
    ///
    /// - Parameter isFirst: it begins the file that the others go on with.
    package static func command(_ results: ExperimentResults, isFirst: Bool = true) -> String {
        let rounds = Dictionary(grouping: results.lines) { "\($0.subject) \($0.connections)" }.values.map(\.count).max() ?? 1
        var command = "bench run \(results.name) --subjects \(results.subjects.joined(separator: ","))"
        // Where the load is found out first, the numbers aren't those that were asked for.
        if results.name != "offered-load" { command += " --connections \(results.swept.map(String.init).joined(separator: ","))" }
        if let duration = results.lines.compactMap(\.duration).max(), duration >= 1 { command += " --duration \(Int(min(duration, 1e6)))" }
        command += " --rounds \(rounds)"
        let workers = Set(results.lines.compactMap(\.workers))
        if results.swept.count > 1, workers.count == 1, let workers = workers.first { command += " --workers \(workers)" }
        return command + (isFirst ? " --json results.jsonl" : " --resume results.jsonl")
    }

    /// Reasons, one for each place, for what failed and what isn't vouched for.
    package static func remarks(_ results: ExperimentResults) -> [String] {
        results.cells.flatMap { cell -> [String] in
            let place = "`\(cell.subject)`, \(results.count(cell.swept))"
            var remarks = cell.failures.map { "\(place): failed: \($0)" }
            if let leftOut = cell.leftOut { remarks.append("\(place): left out\(leftOut.isEmpty ? "" : ": \(leftOut)")") }
            if cell.unvouched > 0 {
                remarks.append("† \(place): \(cell.unvouched) of \(cell.runs) runs not vouched for: \(cell.doubts.joined(separator: "; "))")
            }
            if !cell.servesAll, let served = cell.served { remarks.append("‡ \(place): \(Format.count(served)) of them served") }
            if cell.errorShare > Cell.tolerated {
                let share = Measure("_share").text(cell.errorShare)
                remarks.append("§ \(place): \(share) of the requests went wrong: \(ReportTable.errors(cell))")
            }
            return remarks
        }
    }
}
