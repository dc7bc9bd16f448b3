//go:build js && wasm && !nojudge

package main

import "philipp.info/stackgen/pkg/deployment/compose/composego"

// -tags nojudge leaves compose-go out; compose-valid is not checked then, which is said.
func init() { judge = composego.Judge }
