package manifests

import "encoding/base64"

func base64Of(src []byte) string { return base64.StdEncoding.EncodeToString(src) }

func (m *maker) routes()   {}
func (m *maker) policies() {}
