// SPDX-License-Identifier: Apache-2.0
package dev.weir.openapi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BreakingChangesTests {
    private static final String CONTRACT = """
            paths:
              /v1/things:
                get:
                  operationId: listThings
                  x-permission: project:viewer
                  parameters:
                    - {name: limit, in: query, schema: {type: integer, maximum: 200}}
                  responses:
                    '200': {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
                post:
                  operationId: createThing
                  x-permission: project:editor
                  requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/ThingSpec'}}}}
                  responses:
                    '201': {description: Made.}
            components:
              schemas:
                Thing: {type: object, required: [id, size], properties: {id: {type: string}, size: {type: integer}}}
                ThingSpec:
                  type: object
                  additionalProperties: false
                  required: [size]
                  properties:
                    size: {type: integer, minimum: 1, maximum: 10}
                    colour: {type: string, enum: [red, green]}
            """;

    /** The contract of the newest release. */
    private static Document released() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("rest", "released"))) {
            Path newest = files.filter(file -> file.toString().endsWith(".yaml"))
                    .max(Comparator.comparing(file -> Runtime.Version.parse(
                            file.getFileName().toString().replace(".yaml", "").replaceFirst("^0\\.", "1."))))
                    .orElseThrow();
            return new Document(Files.readString(newest));
        }
    }

    @Test
    void clientsOfTheLastReleaseFindWhatTheyKnow() throws IOException {
        Document now = new Document(Files.readString(Path.of("target", "contract", "openapi.bundled.yaml")));

        assertThat(BreakingChanges.between(released(), now)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            operationId: listThings             | operationId: things                   | operationId
            x-permission: project:viewer        | x-permission: project:admin           | x-permission
            name: limit                         | name: size                            | parameter limit removed
            maximum: 200                        | maximum: 100                          | maximum 200 became 100
            required: [id, size]                | required: [id]                        | not always there
            id: {type: string}                  | id: {type: integer}                   | type
            properties: {id: {type: string},    | properties: {                         | property id removed
            minimum: 1, maximum: 10             | minimum: 2, maximum: 10               | minimum 1 became 2
            enum: [red, green]                  | enum: [red]                           | takes no [green]
            required: [size]                    | required: [size, colour]              | [colour] required now
            '201'                               | '202'                                 | answers no 201
            /v1/things                          | /v1/other                             | removed
            """)
    void whatBreaksClientsIsNamed(String before, String after, String said) {
        String changed = CONTRACT.replace(before, after);
        assertThat(changed).isNotEqualTo(CONTRACT);

        List<String> found = BreakingChanges.between(new Document(CONTRACT), new Document(changed));

        assertThat(found).anyMatch(change -> change.contains(said));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            maximum: 10                         | maximum: 20
            enum: [red, green]                  | enum: [red, green, blue]
            required: [size]                    | required: []
            size: {type: integer}               | size: {type: integer}, more: {type: string}
            """)
    void whatOnlyAddsIsFine(String before, String after) {
        String changed = CONTRACT.replace(before, after);
        assertThat(changed).isNotEqualTo(CONTRACT);

        assertThat(BreakingChanges.between(new Document(CONTRACT), new Document(changed)))
                .isEmpty();
    }
}
