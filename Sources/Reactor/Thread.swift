import CReactorSystem

/// Starts a detached thread that runs `body` once.
///
/// - Parameter stack: bytes of stack, of which only what is touched is ever backed by memory.
package func startThread(stack: Int = 1 << 20, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    let handed = Unmanaged.passRetained(Body(body))
    let result = creactor_start_thread(
        stack,
        { argument in
            // Never nil: it is what was passed below.
            if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, handed.toOpaque())
    if result < 0 {
        handed.release()
        throw SystemError("start a thread", errno: -result)
    }
}
