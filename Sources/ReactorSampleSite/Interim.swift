import HTTPTypes
public import ReactorWeb
import ReactorWire

extension SampleSite {
    public func application() -> some HTTPApplication { Interim(self) }
}

struct Interim: HTTPApplication {
    let site: SampleSite
    var inspect = Box(Inspect())
    var upload = Box(Upload())
    var stream = Stream()
    var slow = Slow()
    var ticks = Ticks()
    var live: EventStream
    var which = 0
    final class Box<T: ~Copyable> { var v: T; init(_ v: consuming T) { self.v = v } }
    init(_ site: SampleSite) { self.site = site; live = EventStream(site.live) }
    func pick(_ r: borrowing RequestView) -> Int {
        let p = r.path.text
        return p == "/inspect" ? 1 : p == "/upload" ? 2 : p == "/stream" ? 3 : p == "/slow" ? 4 : p == "/sse" ? 5 : p == "/live" ? 6 : 0
    }
    public mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        switch pick(request) { case 1: inspect.v.delivery(of: request); case 2: upload.v.delivery(of: request); default: .whole() }
    }
    public mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        which = pick(request)
        switch which {
        case 1: inspect.v.respond(to: request, with: &response)
        case 2: upload.v.respond(to: request, with: &response)
        case 3: stream.respond(to: request, with: &response)
        case 4: slow.respond(to: request, with: &response)
        case 5: ticks.respond(to: request, with: &response)
        case 6: live.respond(to: request, with: &response)
        default:
            let p = request.path.text
            switch p {
            case "/": site.home(request, &response)
            case "/samples": site.samples(&response)
            case "/site.css": site.style.respond(to: request, with: &response)
            case "/site.js": site.script.respond(to: request, with: &response)
            case "/site.svg": site.icon.respond(to: request, with: &response)
            case "/plaintext", "/plaintext-async": response.send(.ok, contentType: "text/plain", "Hello, World!")
            case "/json": response.send(.ok, json: ["message": "Hello, World!"])
            case "/cookies": if request.method == .post { CookiePages.set(request, &response) } else { CookiePages.show(request, &response) }
            case "/login": if request.method == .post { site.login.login(request, &response) } else { site.login.show(request, &response) }
            case "/logout": site.login.logout(request, &response)
            case "/echo":
                response.begin(.ok)
                if let contentType = request.field("content-type") { response.field("Content-Type", contentType) }
                response.end(request.body)
            default:
                if p.hasPrefix("/status/") { return StatusPage.send(request.path.slice(8..<request.path.byteCount), &response) }
                response.sendStatus(.notFound)
            }
        }
    }
    public mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        if which == 1 { inspect.v.received(body, with: &response) } else { upload.v.received(body, with: &response) }
    }
    public mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        if which == 1 { inspect.v.bodyEnded(trailers: trailers, with: &response) } else { upload.v.bodyEnded(trailers: trailers, with: &response) }
    }
    public mutating func answered(_ response: inout ResponseWriter) {
        switch which { case 4: slow.answered(&response); case 5: ticks.answered(&response); default: live.answered(&response) }
    }
    public mutating func drained(_ response: inout ResponseWriter) {
        switch which { case 3: stream.drained(&response); case 5: ticks.drained(&response); default: live.drained(&response) }
    }
    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { live.exchangeEnded(summary) }
}
