import CLibev  // Where this module first meets the pthread types.
import Glibc

/// Starts a detached thread that runs `body` once.
///
/// - Parameter stack: bytes of stack, of which only what is touched is ever backed by memory.
package func startThread(stack: Int = 1 << 20, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, stack)
    let handed = Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let error = pthread_create(
        &thread, &attributes,
        { argument in
            // Never nil: it is what was passed below.
            if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, handed.toOpaque())
    if error != 0 {
        handed.release()
        throw SystemError("start a thread", errno: error)
    }
}
