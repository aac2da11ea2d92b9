using System.Text.RegularExpressions;
using PacsStegoGateway.Security;
using PacsStegoGateway.Tests.Repository;

namespace PacsStegoGateway.Tests.Security;

/// <summary>What docs/security.md claims.</summary>
public sealed partial class ThreatModelTests
{
    [Fact]
    public void Every_test_that_the_threat_model_names_exists()
    {
        Dictionary<string, string> sources = RepositoryFiles.EndingWith("Tests.cs").GroupBy(static f => Path.GetFileNameWithoutExtension(f)).ToDictionary(
            static g => g.Key, static g => string.Concat(g.Select(RepositoryFiles.Text)));
        MatchCollection named = TestName().Matches(RepositoryFiles.Text("docs/security.md"));
        named.Count.ShouldBeGreaterThan(25);
        foreach (Match name in named)
        {
            sources.ShouldContainKey(name.Groups[1].Value);
            sources[name.Groups[1].Value].ShouldContain($" {name.Groups[2].Value}(", customMessage: name.Value);
        }
    }

    [Fact]
    public void Every_role_is_in_the_threat_model_and_in_the_table_of_the_page()
    {
        string page = RepositoryFiles.Text("docs/security.md");
        page.ShouldContain($"| Operation | {string.Join(" | ", Enum.GetNames<Role>()).ToLowerInvariant()} |");
        foreach (string role in Enum.GetNames<Role>())
        {
            page.ShouldMatch($@"\n\| an? (malicious )?{role.ToLowerInvariant()} \|");
        }
    }

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex TestName();
}
