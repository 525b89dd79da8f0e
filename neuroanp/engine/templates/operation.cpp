{% extends 'common_group.cpp' %}
{% block before_code %}
    {{(before_run(get_array_name, variables) or '// EMPTY_CODE_BLOCK')|autoindent}}
{% endblock %}
{% block maincode %}
    {{native(get_array_name, variables)|autoindent}}
{% endblock %}
