extension Subject {
    /// The subject that is the same as the reactor, so that noise can be seen; none where there is no such subject.
    package static let again: [Subject] = all.filter { $0.name == Noise.pair.1 }

    /// The architectures that serve many connections at once, and share one CPU as they are meant to; the reactor twice.
    package static let architecturesThatScale: [Subject] =
        [.reactor] + again + architectures.filter { ["thread", "thread-pool", "prefork", "fork"].contains($0.name) }

    /// Those that don't, too.
    package static let everyArchitecture: [Subject] =
        architecturesThatScale + architectures.filter { ["reactor-2-loops", "iterative"].contains($0.name) }
}
