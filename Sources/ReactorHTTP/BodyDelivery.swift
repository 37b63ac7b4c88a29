/// How an application wants a request's body.
public struct BodyDelivery: Sendable {
    @usableFromInline package let isStreamed: Bool
    /// Nil: ``HTTPLimits/body``.
    @usableFromInline let limit: Int?

    @inlinable init(isStreamed: Bool, limit: Int?) {
        self.isStreamed = isStreamed
        self.limit = limit
    }

    /// Held in memory until it is whole, and then lent with its request.
    ///
    /// - Parameter limit: the largest body in bytes, 413 past it; nil for ``HTTPLimits/body``.
    @inlinable public static func whole(limit: Int? = nil) -> BodyDelivery { BodyDelivery(isStreamed: false, limit: limit) }

    /// Piece by piece as it arrives, behind the request's head. See ``HTTPApplication/received(_:with:)``.
    ///
    /// - Parameter limit: the largest body in bytes, 413 past it; nil for ``HTTPLimits/body``.
    @inlinable public static func streamed(limit: Int? = nil) -> BodyDelivery { BodyDelivery(isStreamed: true, limit: limit) }
}
