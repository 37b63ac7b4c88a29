import Glibc

/// A file descriptor that is closed exactly once: when its owner goes.
package struct Descriptor: ~Copyable {
    package let number: CInt

    package init(owning number: CInt) { self.number = number }

    deinit { Glibc.close(number) }
}
