/// How hard an encoder works, and how much memory it takes meanwhile.
public struct ContentEncoderOptions: Sendable {
    /// 1 to 9. 4: half the time of 6, zlib's default, for 5 % more bytes (measured on source text).
    public var gzipLevel = 4
    /// 0 to 11. 4: gzip's time and a little smaller. 5 takes twice as long, 11 a hundred times.
    public var brotliQuality = 4
    /// 1 to 19. 3, the library's default: as small as gzip, for a third of its time.
    public var zstdLevel = 3
    /// Bytes that an encoder looks back at most, which it keeps in memory. 64 KiB: most pages are not larger, and a
    /// connection then holds at most 260 KiB for gzip, 1.7 MiB for br and 1.2 MiB for zstd. gzip and deflate have 32 KiB
    /// at most.
    ///
    /// A body whose length is known and smaller gets a window of its own size.
    public var window = 64 * 1024

    /// For streams that stay open and say little, such as server-sent events: a connection holds 70 KiB for gzip, 54 KiB
    /// for br and 143 KiB for zstd.
    public static var longLived: ContentEncoderOptions {
        var options = ContentEncoderOptions()
        options.window = 8 * 1024
        options.brotliQuality = 1
        options.zstdLevel = 1
        return options
    }

    public init() {}

    /// The logarithm of the window for a body of `length` bytes, within what a coding allows.
    func windowBits(for length: Int?, _ allowed: ClosedRange<Int>) -> Int {
        let needed = min(window, max(length ?? window, 1))
        // Rounded up: the body is to fit.
        let bits = needed > 1 ? logarithm(needed - 1) + 1 : 0
        return min(max(bits, allowed.lowerBound), allowed.upperBound)
    }
}
