/// One figure, as it is handed to the program that draws it: everything is reckoned, nothing is left but drawing.
package struct Figure: Encodable, Sendable {
    /// A name for its address in the page; unique.
    package let id: String
    package let title: String
    package let kind: Kind
    /// What it shows, in a sentence. Subjects stand between backticks.
    package let sentence: String
    /// Who is not compared, and why; empty if all are.
    package let notes: [String]
    /// There are two or more in it that can be compared.
    var isTelling = true
    let x: Axis
    let y: Axis
    let series: [Series]

    /// Lines over what is varied, a dot a subject, user and system time in one bar, HdrHistogram's percentiles, seconds of a
    /// run, differences in percent.
    package enum Kind: String, Encodable, Sendable { case lines, dots, stack, percentiles, timeline, strip }

    struct Axis: Encodable, Sendable {
        let label: String
        let unit: Measure.Unit
        var scale = Scale.linear
        /// Where ticks belong; empty leaves it to the drawing.
        var ticks: [Double] = []
        enum Scale: String, Encodable, Sendable { case linear, log, symlog }
    }

    struct Series: Encodable, Sendable {
        let name: String
        let style: SubjectStyle?
        let points: [Point]
    }

    struct Point: Encodable, Sendable {
        let x: Double
        let y: Double
        let low: Double
        let high: Double
        /// Not to be compared with the others: not vouched for, or not all connections served.
        var hollow = false
        /// Of a stack, from the bottom.
        var parts: [Double] = []
        /// The value in words.
        var text = ""
    }
}
