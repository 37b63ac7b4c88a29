import ReactorWeb

/// What browsers may do with the site's pages: nothing but what their own files ask for.
enum PagePolicy {
    static func write(to response: inout ResponseWriter) {
        response.field(
            "Content-Security-Policy",
            """
            default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
            base-uri 'none'; frame-ancestors 'none'
            """ as StaticString)
        response.field("X-Content-Type-Options", "nosniff" as StaticString)
        response.field("Referrer-Policy", "same-origin" as StaticString)
        response.field("Cross-Origin-Opener-Policy", "same-origin" as StaticString)
    }
}
