package project

import (
	"testing"
	"testing/fstest"
)

// Of two that set a variable, the .env where Compose is called wins over the one beside the compose file.
func TestDotEnvOrder(t *testing.T) {
	p := Load(fstest.MapFS{
		".env":             {Data: []byte("COMPOSE_FILE=sub/compose.yaml\nA=one\n")},
		"sub/.env":         {Data: []byte("A=two\nB=three\n")},
		"sub/compose.yaml": {Data: []byte("services: {a: {image: \"a:${A}-${B}\"}}\n")},
	}, Options{})
	if p.File == nil {
		t.Fatal(p.Faults)
	}
	if got := p.File.At("services", "a", "image").Str(); got != "a:one-three" {
		t.Errorf("the image is %s", got)
	}
}
