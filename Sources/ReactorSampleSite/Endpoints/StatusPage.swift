import ReactorWeb

/// `/status/{code}`: an answer with that status, from 200 on; informational ones are no answers.
enum StatusPage {
    static func send(_ code: String, _ response: inout ResponseWriter) {
        guard code.utf8.count == 3, let code = UInt16(code), (200...599).contains(code) else {
            return response.refuse("a status to answer with is a number from 200 to 599")
        }
        response.sendStatus(HTTPStatus(code))
    }
}
