// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.PopsRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The records of a stand-alone node: {@code {"pops": [PopsRecord, …], "config": [ConfigRecord, …]}} in protobuf's JSON
 * form. The file is the whole truth: a load balancer that it does not name is removed.
 *
 * @param pops   by pop or node id
 * @param config by load balancer id
 */
public record DesiredFile(Map<String, PopsRecord> pops, Map<String, ConfigRecord> config) {

    /** @throws IOException if the file can't be read or holds anything else */
    public static DesiredFile read(Path file) throws IOException {
        try {
            return parse(Files.readString(file));
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException e) {
            throw new IOException(file + " is not the expected JSON: " + e.getMessage(), e);
        }
    }

    private static DesiredFile parse(String text) throws IOException {
        JsonObject root = JsonParser.parseString(text).getAsJsonObject();
        Map<String, PopsRecord> pops = new LinkedHashMap<>();
        for (JsonElement element : array(root, "pops")) {
            PopsRecord.Builder record = PopsRecord.newBuilder();
            merge(element, record);
            switch (record.getBodyCase()) {
                case POP -> pops.put(record.getPop().getPopId(), record.build());
                case NODE -> pops.put(record.getNode().getNodeId(), record.build());
                case DELETED, BODY_NOT_SET -> throw new IOException("an element of pops is neither pop nor node");
            }
        }
        Map<String, ConfigRecord> config = new LinkedHashMap<>();
        for (JsonElement element : array(root, "config")) {
            ConfigRecord.Builder record = ConfigRecord.newBuilder();
            merge(element, record);
            if (!record.hasLoadBalancer()) {
                throw new IOException("an element of config is no load balancer");
            }
            config.put(record.getLoadBalancer().getLoadBalancerId(), record.build());
        }
        return new DesiredFile(pops, config);
    }

    private static JsonArray array(JsonObject root, String name) {
        JsonElement element = root.get(name);
        return element == null ? new JsonArray() : element.getAsJsonArray();
    }

    private static void merge(JsonElement element, Message.Builder into) throws IOException {
        JsonFormat.parser().merge(element.toString(), into);
    }
}
