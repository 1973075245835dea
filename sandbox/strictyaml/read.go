package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// MaxSize bounds a file, in bytes.
const MaxSize = 1 << 20

// File is a file that was read: which keys it sets, in which lines, and what
// is wrong so far.
type File struct {
	Name     string
	Mistakes Mistakes
	lines    map[string]int // "clients[0].redirect_uris[1]" -> line
}

// Defaulter is implemented by types whose absent keys are not zero: Defaults
// is called before the keys of a mapping are read.
type Defaulter interface{ Defaults() }

// Read reads data into the struct that into points to, by the yaml tags of its
// fields. Keys without a field, wrong types, keys set twice and aliases are
// mistakes. What is right is set even when something else is wrong.
func Read(name string, data []byte, into any) *File {
	f := &File{Name: name, lines: map[string]int{}}
	if len(data) > MaxSize {
		f.Mistakes = append(f.Mistakes, Mistake{Source: name, What: "longer than 1 MiB"})
		return f
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF): // empty, or comments only: nothing is set
		return f
	case err != nil:
		f.syntax(err)
		return f
	}
	if err := dec.Decode(&second); err == nil {
		f.add(second.Line, "", "a second document (---)", "only one is read")
	} else if !errors.Is(err, io.EOF) {
		f.syntax(err)
	}
	f.value(doc.Content[0], reflect.ValueOf(into).Elem(), "")
	return f
}

// Line is where a key such as "clients[0].scope" is set, 0 when it is not.
func (f *File) Line(key string) int { return f.lines[key] }

// Add records that the value of a key is wrong. When the key is not set, the
// mistake shows the line of whatever should have contained it.
func (f *File) Add(key, what, hint string) {
	line, at := 0, key
	for line == 0 && at != "" {
		line = f.lines[at]
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	f.add(line, key, what, hint)
}

func (f *File) add(line int, key, what, hint string) {
	f.Mistakes = append(f.Mistakes, Mistake{Source: f.at(line), Key: key, What: what, Hint: hint})
}

func (f *File) at(line int) string {
	if line == 0 {
		return f.Name
	}
	return fmt.Sprintf("%s:%d", f.Name, line)
}

var lineInError = regexp.MustCompile(`line (\d+): `)

func (f *File) syntax(err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if m := lineInError.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	f.add(line, "", "not YAML: "+clip(text), "")
}

var durationType = reflect.TypeFor[time.Duration]()

// value reads one node. The depth is that of the Go type, so it is bounded.
func (f *File) value(n *yaml.Node, v reflect.Value, key string) {
	if key != "" {
		f.lines[key] = n.Line
	}
	if n.Kind == yaml.AliasNode {
		f.add(n.Line, key, "an alias (*"+clip(n.Value)+")", "write the value out")
		return
	}
	if n.ShortTag() == "!!null" {
		return // "key:" with nothing behind it leaves the default
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		f.mapping(n, v, key)
	case reflect.Slice:
		f.sequence(n, v, key)
	case reflect.Map:
		f.open(n, v, key)
	default:
		f.scalar(n, v, key)
	}
}

func (f *File) mapping(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		f.add(n.Line, key, "must be a mapping, here is "+describe(n), "write  key: value  lines")
		return
	}
	if d, ok := v.Addr().Interface().(Defaulter); ok {
		d.Defaults()
	}
	fields := map[string]reflect.Value{}
	names := collect(v, fields, nil)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, child := n.Content[i], n.Content[i+1]
		path := name.Value
		if key != "" {
			path = key + "." + name.Value
		}
		field, ok := fields[name.Value]
		if name.Kind != yaml.ScalarNode || !ok {
			m := Unknown(f.at(name.Line), name.Value, names)
			if key != "" {
				m.Key = key + "." + m.Key
			}
			f.Mistakes = append(f.Mistakes, m)
			continue
		}
		if first := f.lines[path]; first != 0 {
			f.add(name.Line, path, fmt.Sprintf("set before, in line %d", first), "keep one of the two")
			continue
		}
		f.value(child, field, path)
	}
}

// collect finds the fields by their yaml names, those of embedded structs
// included, as encoding/json would.
func collect(v reflect.Value, fields map[string]reflect.Value, names []string) []string {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			names = collect(v.Field(i), fields, names)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name == "" || name == "-" || !field.IsExported() {
			continue
		}
		fields[name] = v.Field(i)
		names = append(names, name)
	}
	return names
}

func (f *File) sequence(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		f.add(n.Line, key, "must be a list, here is "+describe(n), "write  - item  lines")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		f.value(item, list.Index(i), fmt.Sprintf("%s[%d]", key, i))
	}
	v.Set(list)
}

// open reads a mapping whose keys nobody listed, such as a JWK: texts, and
// lists of them.
func (f *File) open(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		f.add(n.Line, key, "must be a mapping, here is "+describe(n), "write  key: value  lines")
		return
	}
	members := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, child := n.Content[i], n.Content[i+1]
		path := key + "." + name.Value
		if name.Kind != yaml.ScalarNode || members[name.Value] != nil {
			f.add(name.Line, path, "no name, or set before", "")
			continue
		}
		if child.Kind == yaml.SequenceNode {
			var list []string
			f.value(child, reflect.ValueOf(&list).Elem(), path)
			members[name.Value] = list
			continue
		}
		var text string
		f.value(child, reflect.ValueOf(&text).Elem(), path)
		members[name.Value] = text
	}
	v.Set(reflect.ValueOf(members))
}

func (f *File) scalar(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.ScalarNode {
		f.add(n.Line, key, "must be a single value, here is "+describe(n), "")
		return
	}
	switch {
	case v.Type() == durationType:
		d, err := time.ParseDuration(n.Value)
		if err != nil {
			f.add(n.Line, key, fmt.Sprintf("%q is no duration", clip(n.Value)), `write a number with its unit: "120s", "10m", "8h"`)
			return
		}
		v.SetInt(int64(d))
	case v.Kind() == reflect.String:
		// Whatever YAML takes it for: 038090000001 is no octal number here and
		// 1990-03-15 no timestamp.
		v.SetString(n.Value)
	case v.Kind() == reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if err != nil {
			f.add(n.Line, key, fmt.Sprintf("%q is no whole number", clip(n.Value)), "")
			return
		}
		v.SetInt(int64(i))
	case v.Kind() == reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			f.add(n.Line, key, fmt.Sprintf("%q is neither true nor false", clip(n.Value)), "")
			return
		}
		v.SetBool(n.Value == "true")
	default:
		panic("strictyaml: no reader for " + v.Type().String())
	}
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", clip(n.Value))
}
