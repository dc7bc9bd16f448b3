// Package source reads YAML files into values that know where they stand. It is the only importer of
// yaml.v3.
package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// MaxSize is the size in bytes above which Parse refuses a file: no configuration of a stack comes near
// it, and a mistyped path to a disk image must not be read into memory.
const MaxSize = 4 << 20

// maxNodes bounds a document once every alias is followed, so that no walk over values can be made to
// run for ever by a file of nested aliases.
const maxNodes = 200_000

// File is one parsed YAML file: Path as shown to people, Src the bytes as read.
type File struct {
	Path string
	Src  []byte

	root       *yaml.Node
	head, foot string                // comments of the document, which belong to none of its values
	from       map[*yaml.Node]origin // where each node of a joined tree stands; nil for a file that was read

	once    sync.Once // guards what Snippet needs: rules of one run share the file
	lines   []string
	scalars map[int][]scalar
	uses    map[*yaml.Node][]use

	toldOnce sync.Once // guards what Hidden gives: the same file may be part of several deployments
	told     []Hidden
	open     []string
}

// Problem is what makes a file unreadable: the place, the fact, and what to do about it ("" when the fact
// says it).
type Problem struct {
	Pos
	Message, Fix string
}

// Parse reads one YAML document. The problem, nil when there is none, names what makes the file unreadable:
// not UTF-8, binary, larger than MaxSize, a syntax error, aliases without end, a second document. Then the
// file has no usable content: every value of it is absent. An empty file is no problem here.
func Parse(path string, src []byte) (*File, *Problem) {
	docs, problem := documents(path, src, 2)
	switch {
	case problem != nil:
		return &File{Path: path, Src: src}, problem
	case len(docs) > 1:
		return &File{Path: path, Src: src}, &Problem{
			Pos: Pos{File: path, Line: docs[1].Line, Col: min(docs[1].Line, 1)}, Message: "the file holds a second YAML document; only the first would be read",
			Fix: "remove the line `---` or what follows it",
		}
	case len(docs) == 0:
		return &File{Path: path, Src: src}, nil
	}
	return newFile(path, src, &docs[0]), nil
}

// ParseAll is Parse for a file whose documents all count: each is a File of its own, of the same path.
func ParseAll(path string, src []byte) ([]*File, *Problem) {
	docs, problem := documents(path, src, maxDocuments+1)
	if problem != nil {
		return nil, problem
	}
	if len(docs) > maxDocuments {
		at := docs[maxDocuments].Line
		return nil, &Problem{Pos: Pos{File: path, Line: at, Col: min(at, 1)}, Message: fmt.Sprintf("the file holds more than %d documents", maxDocuments), Fix: "split it"}
	}
	files := make([]*File, len(docs))
	for i := range docs {
		files[i] = newFile(path, src, &docs[i])
	}
	return files, nil
}

// maxDocuments is more than anybody writes into one file.
const maxDocuments = 500

func newFile(path string, src []byte, doc *yaml.Node) *File {
	f := &File{Path: path, Src: src}
	if len(doc.Content) > 0 {
		f.root, f.head, f.foot = doc.Content[0], doc.HeadComment, doc.FootComment
	}
	return f
}

// documents are the first YAML documents of the text, at most so many.
func documents(path string, src []byte, most int) ([]yaml.Node, *Problem) {
	fail := func(line int, msg, fix string) ([]yaml.Node, *Problem) {
		return nil, &Problem{Pos: Pos{File: path, Line: line, Col: min(line, 1)}, Message: msg, Fix: fix}
	}
	switch {
	case len(src) > MaxSize:
		return fail(0, fmt.Sprintf("the file is larger than %d MiB; no configuration file is", MaxSize>>20), "name the right file")
	case bytes.IndexByte(src, 0) >= 0:
		return fail(0, "the file is binary, not YAML", "name the right file")
	case !utf8.Valid(src):
		return fail(invalidLine(src), "the file is not UTF-8", "save it as UTF-8")
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	dec := yaml.NewDecoder(bytes.NewReader(src))
	budget := maxNodes
	var docs []yaml.Node
	for len(docs) < most {
		var doc yaml.Node
		if err := decodeNode(dec, &doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fail(syntaxError(src, err))
		}
		if err := measure(&doc, &budget, 0); err != nil {
			return fail(doc.Line, err.Error(), "write the values out instead of using aliases")
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// decodeNode turns a panic of yaml.v3, which some malformed inputs cause, into an error.
func decodeNode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(n)
}

func invalidLine(src []byte) int {
	valid := 0
	for valid < len(src) {
		r, n := utf8.DecodeRune(src[valid:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		valid += n
	}
	return 1 + bytes.Count(src[:valid], []byte("\n"))
}

func measure(n *yaml.Node, budget *int, depth int) error {
	if *budget--; *budget < 0 {
		return errors.New("the aliases of the file expand to too many values")
	}
	if depth > 1000 {
		return errors.New("the values of the file are nested too deeply, or an anchor contains itself")
	}
	if n.Kind == yaml.AliasNode {
		return measure(n.Alias, budget, depth+1)
	}
	for _, c := range n.Content {
		if err := measure(c, budget, depth+1); err != nil {
			return err
		}
	}
	unbrace(n)
	return nil
}

// unbrace makes {{NAME}} without quotes the text that whoever wrote it means, a mark in a template: to YAML it is a mapping
// whose key is a mapping.
func unbrace(n *yaml.Node) {
	single := func(n *yaml.Node) bool {
		return n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && len(n.Content) == 2 && n.Content[1].Tag == "!!null" && n.Content[1].Value == ""
	}
	if !single(n) || !single(n.Content[0]) || n.Content[0].Content[0].Kind != yaml.ScalarNode {
		return
	}
	n.Value = "{{" + n.Content[0].Content[0].Value + "}}"
	n.Kind, n.Tag, n.Style, n.Content = yaml.ScalarNode, "!!str", 0, nil
}

// Root is the top value of the file; absent when the file is empty or unreadable.
func (f *File) Root() Value { return Value{file: f, node: f.root} }

// At is Root().At(path...).
func (f *File) At(path ...string) Value { return f.Root().At(path...) }
