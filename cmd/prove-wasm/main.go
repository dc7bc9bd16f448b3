//go:build js && wasm

// Command prove-wasm is pkg/prove as WebAssembly, for a page that proves a spec while it is typed. It makes the
// function stackgen.prove(text, directory, files), which is all that a page calls; make wasm runs it where there are no files and no programs.
package main

import (
	"bytes"
	"io/fs"
	"syscall/js"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/report"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// judge is compose-go's; nil where it is left out.
var judge *deployment.Judge

func main() {
	js.Global().Set("stackgen", map[string]any{"prove": js.FuncOf(func(_ js.Value, args []js.Value) any {
		files, said, err := proveText(args[0].String(), args[1].String(), func(name string) ([]byte, error) {
			if v := args[2].Get(name); v.Type() == js.TypeString {
				return []byte(v.String()), nil
			}
			return nil, fs.ErrNotExist
		})
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return map[string]any{"files": files, "report": said}
	})})
	select {}
}

// proveText renders the text of a stack.yaml for the directory, with placeholders for all secrets; read gives the files that it
// names. What comes out are the files by path, and the findings as `stackgen validate --format json` reports them.
func proveText(text, dir string, read func(string) ([]byte, error)) (files map[string]any, said string, err error) {
	s, findings := spec.Parse("stack.yaml", []byte(text))
	r := &prove.Result{}
	if s != nil {
		copies, more := prove.Copies(s, ".", read)
		findings = append(findings, more...)
		if !finding.HasErrors(findings) {
			r, err = prove.Run(prove.Input{Spec: s, Judge: judge, Secrets: secret.Placeholders(render.Needs(s)), Placeholders: true, Copies: copies, Dir: dir})
			if err != nil {
				return nil, "", err
			}
		}
	}
	files = make(map[string]any)
	if r.Bundle != nil {
		for _, f := range r.Bundle.Files {
			if f.Data != nil {
				files[f.Path] = string(f.Data)
			}
		}
	}
	var out bytes.Buffer
	err = report.Write(&out, finding.Sort(append(findings, r.Findings...)), report.Summary{Files: r.Files}, report.Options{Format: report.JSON})
	return files, out.String(), err
}
