import COpenSSL
import Glibc

/// Seconds since 1970. TLS needs no finer clock, and OpenSSL reads this one too.
func currentTime() -> Int64 { Int64(time(nil)) }

/// Seconds since the machine was started, those asleep included: the same for all its processes, and never set. A clock that
/// leapt by decades, as one does that is set for the first time, would have a ratchet derive a key for each hour of them.
func timeSinceStart() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec)
}

/// Seconds since 1970. Nil if it is no time.
func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var fields = tm()
    guard ASN1_TIME_to_tm(time, &fields) == 1 else { return nil }
    return Int64(timegm(&fields))
}

func describe(_ code: Int32) -> String { String(cString: strerror(code)) }
