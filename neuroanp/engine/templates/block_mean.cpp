{# USES_VARIABLES { N, row, buffer } #}
{% extends 'common_group.cpp' %}
{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    if ((size_t)({{row}} + 1) * ({{constant_or_scalar('N', variables['N'])}} / {{block}}) > _numbuffer) return;
    {{c_data_type(variables['buffer'].dtype)}}* _means = {{buffer}} + {{row}} * ({{constant_or_scalar('N', variables['N'])}} / {{block}});
    for (const auto& _mine : neuroanp::cells({{constant_or_scalar('N', variables['N'])}} / {{block}}))
    for (int64_t _b = _mine.first; _b < _mine.end; neuroanp::go_on(_b))
    {
        double _sum = 0;
        for (int _k = 0; _k < {{block}}; _k++)
        {
            const size_t _idx = _b * {{block}} + _k;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _sum += _value;
        }
        _means[_b] = _sum / {{block}};
    }
    {{row}}++;
{% endblock %}
