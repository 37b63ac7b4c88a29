import ReactorWeb
import ReactorWire

/// `/status/{code}`: an answer with that status, from 200 on; informational ones are no answers.
enum StatusPage {
    static func send(_ code: RawSpan, _ response: inout ResponseWriter) {
        guard let number = code.decimal, (200...599).contains(number), let code = UInt16(exactly: number) else {
            return response.refuse("a status to answer with is a number from 200 to 599")
        }
        response.sendStatus(HTTPStatus(code))
    }
}
