package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Env gives a variable of the service's environment, with ${X} replaced from .env.
func (s *Service) Env(name string) (text string, v source.Value) {
	env := s.Value.At("environment")
	if env.Kind() == source.Mapping {
		if v = env.At(name); v.Exists() {
			if text, _ = s.D.Expand(v); !v.Set() {
				text = s.D.Env[name]
			}
			return text, v
		}
	}
	for _, item := range env.Items() {
		expanded, _ := s.D.Expand(item)
		if key, val, ok := strings.Cut(expanded, "="); key == name {
			if !ok { // without = it is handed through
				val = s.D.Env[name]
			}
			return val, item
		}
	}
	for _, f := range s.envFiles() {
		if src, err := source.ReadFS(s.D.FS, path.Clean(f.Str())); err == nil {
			if val, ok := dotenv(string(src))[name]; ok {
				return val, f
			}
		}
	}
	return "", env.At(name)
}

// envFiles are the entries of env_file, the one that counts most first.
func (s *Service) envFiles() []source.Value {
	var files []source.Value
	for _, item := range slices.Backward(Listed(s.Value.At("env_file"))) {
		if item.Kind() == source.Mapping {
			item = item.At("path")
		}
		files = append(files, item)
	}
	return files
}

// EnvHidden says why a variable of the service may have a value that cannot be seen; "" when it cannot.
func (s *Service) EnvHidden(name string) string {
	env := s.Value.At("environment")
	v, handed := env.At(name), env.At(name).Exists() && !env.At(name).Set()
	for _, item := range env.Items() {
		if key, _, ok := strings.Cut(item.Str(), "="); key == name {
			v, handed = item, !ok
		}
	}
	if _, known := s.D.Env[name]; handed && !known {
		return name + " comes from outside of the directory"
	}
	if _, ok := s.D.Expand(v); v.Exists() {
		if !ok {
			return name + " stands behind a variable that is set elsewhere"
		}
		return ""
	}
	for _, f := range s.envFiles() {
		if _, err := source.ReadFS(s.D.FS, path.Clean(f.Str())); err != nil {
			return "the env_file " + f.Str() + " cannot be read"
		}
	}
	return ""
}
