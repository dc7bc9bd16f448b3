package component

import "testing"

// FuzzRef: the parts of an image's name are parts of it, and a version is no older than itself.
func FuzzRef(f *testing.F) {
	for _, s := range []string{"x", "x:1", "registry.example:5000/a/b:v1.2.3@sha256:00", "matrixdotorg/synapse:v1.163.2", "", ":", "@", "a:b:c@d@e", "ghcr.io/x:latest", "x:v99999999999999999999.1", "x:ig-v0.2609.0", "${X}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := Parse(s)
		if len(r.Repository)+len(r.Tag)+len(r.Digest) > len(s) {
			t.Errorf("%q is %+v", s, r)
		}
		if v, ok := r.Version(); ok && v.Less(v) {
			t.Errorf("%v of %q is older than itself", v, s)
		}
		r.Program()
		r.Dialect()
	})
}
