// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import dev.weir.edge.AgentConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SslConfigs;

/** How this node reaches Kafka: with its own certificate, both sides proving who they are. */
public final class KafkaAccess {
    public static final String CONFIG_TOPIC = "weir.config.v1";
    public static final String POPS_TOPIC = "weir.pops.v1";
    public static final String WATERMARKS_TOPIC = "weir.watermarks.v1";
    public static final String HEALTH_TOPIC = "weir.health.v1";
    public static final String METRICS_TOPIC = "weir.metrics.v1";
    public static final String FLOWS_TOPIC = "weir.flows.v1";

    private final AgentConfig.Kafka settings;
    private final String nodeId;

    public KafkaAccess(AgentConfig.Kafka settings, String nodeId) {
        this.settings = settings;
        this.nodeId = nodeId;
    }

    public AgentConfig.Kafka settings() {
        return settings;
    }

    /** Settings that every client shares; reads the certificate files anew, so that renewed ones count. */
    public Map<String, Object> common() throws IOException {
        Map<String, Object> common = new HashMap<>();
        common.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrap());
        common.put(CommonClientConfigs.CLIENT_ID_CONFIG, nodeId);
        common.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "SSL");
        common.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, "PEM");
        common.put(SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG, Files.readString(settings.ca()));
        common.put(SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, "PEM");
        common.put(SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG, Files.readString(settings.certificate()));
        common.put(SslConfigs.SSL_KEYSTORE_KEY_CONFIG, Files.readString(settings.key()));
        common.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 50);
        common.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
        common.put(CommonClientConfigs.RETRY_BACKOFF_MS_CONFIG, 50);
        common.put(CommonClientConfigs.ENABLE_METRICS_PUSH_CONFIG, false);
        return common;
    }
}
