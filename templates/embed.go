// Package templates holds one template per kind of rendered file. They see a render.Stack and nothing
// else; every value is printed through q, which quotes it for all YAML readers.
package templates

import "embed"

// FS holds the templates, named after their output.
//
//go:embed *.tmpl
var FS embed.FS

// Move holds what import writes beside the spec. Nothing of it is rendered.
//
//go:embed move/*.tmpl
var Move embed.FS
