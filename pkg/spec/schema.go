package spec

import _ "embed"

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema of a spec, made from the types by `make generate`, for editors.
func Schema() []byte { return schema }
