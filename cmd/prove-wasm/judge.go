//go:build js && wasm && !nojudge

package main

import "philipp.info/stackgen/pkg/deployment/compose/composego"

// compose-go is more than half of the program; -tags nojudge leaves it out, and compose-valid is not checked then.
func init() { judge = composego.Judge }
