// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import org.springframework.core.convert.converter.Converter;
import org.springframework.core.convert.converter.ConverterFactory;
import org.springframework.format.FormatterRegistry;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** Reads parameters whose type is an enum of the contract: by the contract's spelling, not by the constant's name. */
@Component
final class ContractEnums implements ConverterFactory<String, Enum<?>>, WebMvcConfigurer {
    @Override
    public void addFormatters(FormatterRegistry registry) {
        registry.addConverterFactory(this);
    }

    @Override
    public <T extends Enum<?>> Converter<String, T> getConverter(Class<T> type) {
        return text -> {
            for (T constant : type.getEnumConstants()) {
                // Generated enums say what the contract says.
                if (constant.toString().equals(text)) {
                    return constant;
                }
            }
            throw new IllegalArgumentException("not one of the contract's values");
        };
    }
}
