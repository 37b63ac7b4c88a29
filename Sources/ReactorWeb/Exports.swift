/// So that an application imports one module.
@_exported public import ReactorHTTP
