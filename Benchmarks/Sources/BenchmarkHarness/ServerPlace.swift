import Foundation

/// What a server is given that cannot choose its port, or needs files of its own.
package struct ServerPlace: Sendable {
    /// Of 127.0.0.1, to listen on.
    package let port: UInt16
    /// Its own, empty. It is removed once the server listens.
    package let directory: String
    /// How many threads or processes it may need.
    package let workers: Int
    package let material: Material

    /// Writes a file into the directory.
    ///
    /// - Returns: its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = directory + "/" + name
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        return file
    }
}
