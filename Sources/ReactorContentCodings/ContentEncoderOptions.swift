/// How hard an encoder works, and how much memory it takes meanwhile.
public struct ContentEncoderOptions: Sendable {
    /// 1 to 9. 5: nearly as small as 6, zlib's default, for three quarters of its time.
    public var gzipLevel = 5
    /// 0 to 11. 4: about gzip's time, and smaller than gzip. From 5 on it takes several times the memory.
    public var brotliQuality = 4
    /// 1 to 19. 3: the library's default.
    public var zstdLevel = 3
    /// Bytes that an encoder looks back at most, which it keeps in memory. 128 KiB: that is where a page of HTML is seen
    /// whole, and a larger window costs each connection more than it saves. gzip and deflate have 32 KiB at most.
    ///
    /// A body whose length is known and smaller gets a window of its own size.
    public var window = 128 * 1024

    public init() {}

    /// The logarithm of the window for a body of `length` bytes, within what a coding allows.
    func windowBits(for length: Int?, _ allowed: ClosedRange<Int>) -> Int {
        let needed = min(window, max(length ?? window, 1))
        // Rounded up: the body is to fit.
        let bits = needed > 1 ? logarithm(needed - 1) + 1 : 0
        return min(max(bits, allowed.lowerBound), allowed.upperBound)
    }
}
