// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Type;
import java.util.List;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpInputMessage;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.RequestBodyAdviceAdapter;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Checks each body against the contract before it is bound, so that a caller learns all faults at once. */
@ControllerAdvice
final class ContractBodyAdvice extends RequestBodyAdviceAdapter {
    /** Request attribute: the body's bytes. */
    static final String BODY = ContractBodyAdvice.class.getName() + ".body";

    /** Of a prefix list with as many entries as it may have. */
    private static final int PREFIX_LIST_BYTES = 6 << 20;

    private static final String MODELS = "dev.weir.rest.v1.model";

    private final ContractSchemas schemas;
    private final int maxBytes;
    private final JsonMapper strict = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    ContractBodyAdvice(ContractSchemas schemas, WebProperties web) {
        this.schemas = schemas;
        this.maxBytes = Math.toIntExact(web.maxBody().toBytes());
    }

    @Override
    public boolean supports(
            MethodParameter parameter, Type targetType, Class<? extends HttpMessageConverter<?>> converterType) {
        return targetType instanceof Class<?> type && type.getPackageName().equals(MODELS);
    }

    @Override
    public HttpInputMessage beforeBodyRead(
            HttpInputMessage message,
            MethodParameter parameter,
            Type targetType,
            Class<? extends HttpMessageConverter<?>> converterType)
            throws IOException {
        int most = ((Class<?>) targetType).getSimpleName().startsWith("PrefixList")
                ? Math.max(maxBytes, PREFIX_LIST_BYTES)
                : maxBytes;
        // One that says its size is refused without being read; one that does not, when it goes on for too long.
        boolean announced = message.getHeaders().getContentLength() > most;
        byte[] body = announced ? new byte[0] : message.getBody().readNBytes(most + 1);
        if (announced || body.length > most) {
            throw new ProblemException(ProblemCode.BODY_TOO_LARGE, "A body may have at most %d bytes.".formatted(most));
        }
        Trace.request().setAttribute(BODY, body);
        check(((Class<?>) targetType).getSimpleName(), body);
        return new Buffered(body, message.getHeaders());
    }

    private void check(String schema, byte[] body) {
        JsonNode value;
        try {
            value = strict.readTree(body);
        } catch (JacksonException e) {
            throw invalid(List.of(new FieldFault("", "NOT_JSON", "not JSON: " + e.getOriginalMessage())));
        }
        List<FieldFault> faults = schemas.check(schema, value);
        if (!faults.isEmpty()) {
            throw invalid(faults);
        }
    }

    private static ProblemException invalid(List<FieldFault> faults) {
        return new ProblemException(
                ProblemCode.INVALID_BODY,
                faults.size() == 1
                        ? "%s: %s."
                                .formatted(
                                        faults.getFirst().pointer(),
                                        faults.getFirst().detail())
                        : "The body has %d faults.".formatted(faults.size()),
                faults);
    }

    private record Buffered(byte[] body, HttpHeaders headers) implements HttpInputMessage {
        @Override
        public InputStream getBody() {
            return new ByteArrayInputStream(body);
        }

        @Override
        public HttpHeaders getHeaders() {
            return headers;
        }
    }
}
