import CReactorSystem
package import ConnectionHandling
import Glibc

extension Connection {
    /// Reads once, and keeps the descriptors that came along where the handler takes them. Returns how many bytes came,
    /// 0 at the end of input, or a negated `errno`.
    package mutating func readSome(from fd: CInt, into buffer: UnsafeMutableRawBufferPointer, flags: CInt) -> Int {
        let allowed = limits.values.maxReceivedDescriptors
        if allowed > 0 && peer.isUnix { return readPassed(from: fd, into: buffer, flags: flags, allowed: allowed) }
        // read(2) is the shorter way through the kernel.
        let count = flags == 0 ? read(fd, buffer.baseAddress, buffer.count) : recv(fd, buffer.baseAddress, buffer.count, flags)
        return count < 0 ? -Int(errno) : count
    }

    private mutating func readPassed(
        from fd: CInt, into buffer: UnsafeMutableRawBufferPointer, flags: CInt, allowed: Int
    ) -> Int {
        let extras = needExtras()
        var numbers = [CInt](repeating: -1, count: allowed)
        var passed: CInt = 0
        let count = creactor_receive_passed(
            fd, buffer.baseAddress, buffer.count, flags, &numbers, CInt(allowed - extras.received.count), &passed)
        for number in numbers.prefix(Int(passed)) { extras.received.append(PassedDescriptor(Descriptor(owning: number))) }
        return Int(count)
    }
}
