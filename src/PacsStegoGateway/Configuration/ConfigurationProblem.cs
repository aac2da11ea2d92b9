namespace PacsStegoGateway.Configuration;

/// <summary>One thing that is wrong with the configuration.</summary>
/// <param name="Path">The key, as <c>Section:Key</c> or <c>Section:0:Key</c>.</param>
/// <param name="Message">What is wrong and what would be right; never the value of a secret.</param>
public sealed record ConfigurationProblem(string Path, string Message)
{
    public override string ToString() => $"{Path}: {Message}";
}

/// <summary>The configuration cannot be used; every problem is listed.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationProblem> problems)
    : Exception("The configuration cannot be used:" + string.Concat(problems.Select(static p => $"{Environment.NewLine}  {p}")))
{
    public IReadOnlyList<ConfigurationProblem> Problems { get; } = problems;
}
