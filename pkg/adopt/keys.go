package adopt

import (
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/secret"
)

// key takes a signing key of MAS over: the first of each kind that the spec has a secret for.
func (r *reader) key(pem string) {
	for name, kind := range map[string]component.Kind{"auth.key_rsa": component.RSAPEM, "auth.key_ec": component.ECPEM} {
		if r.secrets[name] == "" && (secret.Need{Kind: kind}).Check(pem) == nil {
			r.secrets[name] = pem
		}
	}
}
