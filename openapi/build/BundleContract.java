// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/**
 * Writes the REST contract as one file: path items are put in place, every other reference to a file becomes one to
 * {@code #/components}, under the name that its pointer ends with.
 *
 * <p>Arguments: the root of the contract, the file to write.
 */
public final class BundleContract {

    private final Map<Path, Object> files = new LinkedHashMap<>();
    private final Map<String, Map<String, Object>> components = new TreeMap<>();
    private final Map<String, Path> origins = new LinkedHashMap<>();

    public static void main(String[] args) throws IOException {
        Path root = Path.of(args[0]).toAbsolutePath().normalize();
        Path out = Path.of(args[1]);
        Files.createDirectories(out.getParent());
        DumperOptions style = new DumperOptions();
        style.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        style.setWidth(120);
        style.setSplitLines(false);
        String text = new Yaml(style).dump(new BundleContract().bundle(root));
        Files.writeString(out, "# SPDX-License-Identifier: Apache-2.0\n" + text);
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> bundle(Path root) {
        Map<String, Object> contract = (Map<String, Object>) resolve(load(root), root);
        Map<String, Object> declared = (Map<String, Object>) contract.remove("components");
        Map<String, Object> all = new LinkedHashMap<>(declared);
        components.forEach((kind, byName) -> all.put(kind, new TreeMap<>(byName)));
        contract.put("components", all);
        return contract;
    }

    private Object load(Path file) {
        return files.computeIfAbsent(file, path -> {
            try {
                return new Yaml().load(Files.readString(path));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private Object resolve(Object value, Path file) {
        return switch (value) {
            case Map<?, ?> map -> resolveMap(map, file);
            case List<?> list -> {
                List<Object> resolved = new ArrayList<>();
                list.forEach(item -> resolved.add(resolve(item, file)));
                yield resolved;
            }
            case java.util.Date date -> date.toInstant().toString();
            case null -> throw new IllegalStateException("empty value in " + file);
            default -> value;
        };
    }

    private Object resolveMap(Map<?, ?> map, Path file) {
        if (map.get("$ref") instanceof String reference) {
            String[] parts = reference.split("#", 2);
            Path target = parts[0].isEmpty() ? file : file.resolveSibling(parts[0]).normalize();
            if (parts.length == 1) {
                return resolve(load(target), target);
            }
            Map<String, Object> resolved = new LinkedHashMap<>();
            resolved.put("$ref", component(target, parts[1].substring(1)));
            map.forEach((key, item) -> {
                if (!key.equals("$ref")) {
                    resolved.put((String) key, resolve(item, file));
                }
            });
            return resolved;
        }
        Map<String, Object> resolved = new LinkedHashMap<>();
        map.forEach((key, item) -> resolved.put(key.toString(), resolve(item, file)));
        return resolved;
    }

    private String component(Path file, String name) {
        String kind = switch (file.getFileName().toString()) {
            case "parameters.yaml" -> "parameters";
            case "responses.yaml" -> "responses";
            case "headers.yaml" -> "headers";
            default -> "schemas";
        };
        String pointer = "#/components/" + kind + "/" + name;
        Path origin = origins.putIfAbsent(pointer, file);
        if (origin == null) {
            Object body = ((Map<?, ?>) load(file)).get(name);
            if (body == null) {
                throw new IllegalStateException("no " + name + " in " + file);
            }
            components.computeIfAbsent(kind, any -> new LinkedHashMap<>()).put(name, resolve(body, file));
        } else if (!origin.equals(file)) {
            throw new IllegalStateException(name + " is in both " + origin + " and " + file);
        }
        return pointer;
    }
}
