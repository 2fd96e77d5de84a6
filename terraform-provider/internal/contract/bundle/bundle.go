// SPDX-License-Identifier: Apache-2.0

// Package bundle folds the contract, which is written as one small file per operation and model, into
// one document. The client generator and the contract tests read that document: the generator names a
// Go type after each component, so every model file becomes a component of its own.
package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// File reads the contract's root file and everything it refers to, and returns one self-contained document.
//
// References to schemas in other files become components named after the file (`port-range.yaml` →
// `PortRange`) or, where the reference ends in a JSON pointer, after its last step. Everything else
// (path items, parameters, headers, responses) is put in place.
func File(root string) ([]byte, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("locating %s: %w", root, err)
	}

	b := &bundler{
		root:       absolute,
		files:      map[string]*yaml.Node{},
		components: map[string]*yaml.Node{},
		origins:    map[string]string{},
	}
	document, err := b.load(absolute)
	if err != nil {
		return nil, err
	}
	if err := b.resolve(document, absolute, false, nil); err != nil {
		return nil, err
	}
	b.addComponents(document)

	out, err := yaml.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("writing the bundled contract: %w", err)
	}

	return out, nil
}

// bundler holds what one run has read and hoisted. Every file is parsed once; a component is entered
// before its own references are followed, so that models may refer to each other in a circle.
type bundler struct {
	root       string
	files      map[string]*yaml.Node
	components map[string]*yaml.Node // by component name
	origins    map[string]string     // component name → file#pointer it came from
}

func (b *bundler) load(file string) (*yaml.Node, error) {
	if node, ok := b.files[file]; ok {
		return node, nil
	}

	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the contract: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", file, err)
	}
	if len(document.Content) != 1 {
		return nil, fmt.Errorf("parsing %s: expected one document", file)
	}
	b.files[file] = document.Content[0]

	return document.Content[0], nil
}

// resolve walks a node of `file` and replaces its references to other files.
//
// inSchema says that the node is a schema or part of one. trail lists the references that are being
// followed, to name a circle that cannot be put in place.
func (b *bundler) resolve(node *yaml.Node, file string, inSchema bool, trail []string) error {
	switch node.Kind {
	case yaml.MappingNode:
		if reference := scalar(node, "$ref"); reference != "" {
			return b.replace(node, reference, file, inSchema, trail)
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i].Value, node.Content[i+1]
			if inSchema && isLiteral(key) && value.Kind != yaml.MappingNode {
				continue
			}
			if err := b.resolve(value, file, inSchema || key == "schema" || key == "schemas", trail); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for _, item := range node.Content {
			if err := b.resolve(item, file, inSchema, trail); err != nil {
				return err
			}
		}
	case yaml.DocumentNode, yaml.ScalarNode, yaml.AliasNode:
	}

	return nil
}

func (b *bundler) replace(node *yaml.Node, reference, file string, inSchema bool, trail []string) error {
	relative, pointer, _ := strings.Cut(reference, "#")
	target := file
	if relative != "" {
		target = filepath.Join(filepath.Dir(file), filepath.FromSlash(relative))
	}
	if target == b.root && strings.HasPrefix(pointer, "/components/") {
		setScalar(node, "$ref", "#"+pointer)

		return nil
	}

	place := target + "#" + pointer
	found, err := b.find(target, pointer)
	if err != nil {
		return fmt.Errorf("%s refers to %s: %w", file, reference, err)
	}
	if inSchema {
		name, err := b.hoist(place, target, pointer, found)
		if err != nil {
			return err
		}
		setScalar(node, "$ref", "#/components/schemas/"+name)

		return nil
	}

	for _, followed := range trail {
		if followed == place {
			return fmt.Errorf("%s refers to itself through %s", place, strings.Join(trail, ", "))
		}
	}
	inlined := clone(found)
	if err := b.resolve(inlined, target, false, append(trail, place)); err != nil {
		return err
	}
	*node = *inlined

	return nil
}

func (b *bundler) hoist(place, target, pointer string, found *yaml.Node) (string, error) {
	name := componentName(target, pointer)
	if origin, taken := b.origins[name]; taken {
		if origin != place {
			return "", fmt.Errorf("two models are called %s: %s and %s", name, origin, place)
		}

		return name, nil
	}
	b.origins[name] = place
	component := clone(found)
	b.components[name] = component

	return name, b.resolve(component, target, true, nil)
}

func (b *bundler) find(file, pointer string) (*yaml.Node, error) {
	node, err := b.load(file)
	if err != nil {
		return nil, err
	}
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if step == "" {
			continue
		}
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		if node = child(node, step); node == nil {
			return nil, errors.New("no such place in the file")
		}
	}

	return node, nil
}

func (b *bundler) addComponents(document *yaml.Node) {
	names := make([]string, 0, len(b.components))
	for name := range b.components {
		names = append(names, name)
	}
	sort.Strings(names)

	schemas := ensure(ensure(document, "components"), "schemas")
	for _, name := range names {
		if existing := child(schemas, name); existing != nil {
			if scalar(existing, "$ref") == "#/components/schemas/"+name {
				*existing = *b.components[name]
			}

			continue
		}
		schemas.Content = append(schemas.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, b.components[name])
	}
}

// isLiteral says that a schema keyword holds plain values, never schemas.
func isLiteral(keyword string) bool {
	switch keyword {
	case "enum", "const", "required", "examples", "type":
		return true
	default:
		return false
	}
}

func componentName(file, pointer string) string {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if steps := strings.Split(pointer, "/"); len(steps) > 1 {
		base = steps[len(steps)-1]
	}

	var name strings.Builder
	upper := true
	for _, r := range base {
		if r == '-' || r == '_' || r == '.' {
			upper = true

			continue
		}
		if upper {
			r = unicode.ToUpper(r)
			upper = false
		}
		name.WriteRune(r)
	}

	return name.String()
}

func child(node *yaml.Node, key string) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}

	return nil
}

func scalar(node *yaml.Node, key string) string {
	if value := child(node, key); value != nil && value.Kind == yaml.ScalarNode {
		return value.Value
	}

	return ""
}

func setScalar(node *yaml.Node, key, value string) {
	if existing := child(node, key); existing != nil {
		*existing = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	}
}

func ensure(node *yaml.Node, key string) *yaml.Node {
	if existing := child(node, key); existing != nil {
		return existing
	}
	value := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)

	return value
}

func clone(node *yaml.Node) *yaml.Node {
	if node == nil {
		return nil
	}
	copied := *node
	copied.Content = make([]*yaml.Node, len(node.Content))
	for i, item := range node.Content {
		copied.Content[i] = clone(item)
	}

	return &copied
}
