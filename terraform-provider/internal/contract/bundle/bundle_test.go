// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestFileFoldsReferencesIntoOneDocument(t *testing.T) {
	root := write(t, map[string]string{
		"openapi.yaml": "openapi: 3.1.0\npaths:\n  /things: {$ref: things/things.yaml}\n",
		"things/things.yaml": "get:\n  parameters: [{$ref: ../shared.yaml#/Limit}]\n  responses:\n    '200':\n" +
			"      content: {application/json: {schema: {$ref: models.yaml#/Thing}}}\n",
		"things/models.yaml": "Thing:\n  type: object\n  properties:\n    kind: {$ref: '#/Kind', description: its kind}\n" +
			"    parent: {$ref: '#/Thing'}\nKind: {type: string, enum: [a, b]}\n",
		"shared.yaml": "Limit: {name: limit, in: query, schema: {type: integer}}\n",
	})

	raw, err := File(root)
	if err != nil {
		t.Fatal(err)
	}

	var document struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct{ Name string }
				Responses  map[string]struct {
					Content map[string]struct{ Schema map[string]string }
				}
			}
		}
		Components struct {
			Schemas map[string]struct {
				Type       string
				Properties map[string]map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	get := document.Paths["/things"].Get
	if len(get.Parameters) != 1 || get.Parameters[0].Name != "limit" {
		t.Errorf("parameters are %v, expected limit in place", get.Parameters)
	}
	if reference := get.Responses["200"].Content["application/json"].Schema["$ref"]; reference != "#/components/schemas/Thing" {
		t.Errorf("the answer refers to %q", reference)
	}
	thing := document.Components.Schemas["Thing"]
	if thing.Properties["parent"]["$ref"] != "#/components/schemas/Thing" {
		t.Errorf("a model that refers to itself became %v", thing.Properties["parent"])
	}
	if kind := thing.Properties["kind"]; kind["$ref"] != "#/components/schemas/Kind" || kind["description"] != "its kind" {
		t.Errorf("what stands beside a reference was lost: %v", kind)
	}
	if len(document.Components.Schemas) != 2 {
		t.Errorf("%d components, expected 2", len(document.Components.Schemas))
	}
}

func TestFileNamesWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		files   map[string]string
		message string
	}{
		"a file that is not there": {
			map[string]string{"openapi.yaml": "paths: {/a: {$ref: a.yaml}}\n"}, "a.yaml",
		},
		"a place that is not there": {
			map[string]string{"openapi.yaml": "paths: {/a: {$ref: 'a.yaml#/Nothing'}}\n", "a.yaml": "get: {}\n"}, "no such place",
		},
		"a circle that cannot be put in place": {
			map[string]string{"openapi.yaml": "paths: {/a: {$ref: a.yaml}}\n", "a.yaml": "get: {$ref: a.yaml}\n"}, "refers to itself",
		},
		"two models of one name": {
			map[string]string{
				"openapi.yaml": "paths: {/a: {get: {schema: {$ref: 'a.yaml#/M'}}, put: {schema: {$ref: 'b.yaml#/M'}}}}\n",
				"a.yaml":       "M: {type: string}\n", "b.yaml": "M: {type: integer}\n",
			}, "two models are called M",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := File(write(t, test.files))

			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("error is %v, expected %q in it", err, test.message)
			}
		})
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return filepath.Join(folder, "openapi.yaml")
}
