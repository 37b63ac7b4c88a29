import BenchmarkHarness

struct HTTPParser: Experiment {
    let name = "http-parser"
    let summary = "instructions for reading one HTTP request head, with nothing around the parser, as callgrind counts them"
    let service = Service.heads
    let peer = "reading"

    let reading = """
        instructions  for one head: method, target split at its query, names and values, length of the body, and whether the
                      connection stays open. × http-parser: as a multiple of libhttp-parser's. Wanted of reactor: 0.70× at most
        browsers      of the heads that Chromium sends for a page, an image and a POST, and Firefox for a page
        tools         of those of curl, wget, Python's http.client and requests, wrk, ab and h2load
        """

    let defaults = Plan(subjects: [.reactor, .httpParser], connections: [200], duration: 0, rounds: 1)

    let columns: [Column] = [
        .median(.instructionsPerHead, "instructions", Format.count), .ratio(.instructionsPerHead, to: .httpParser),
        .median(.instructionsPerBrowserHead, "browsers", Format.count), .ratio(.instructionsPerBrowserHead, to: .httpParser),
        .median(.instructionsPerToolHead, "tools", Format.count), .ratio(.instructionsPerToolHead, to: .httpParser),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try HeadsRun(readings: connections, in: environment).run(subject)
    }
}
