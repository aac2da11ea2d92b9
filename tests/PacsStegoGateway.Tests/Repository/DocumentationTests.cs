using System.Text.RegularExpressions;

namespace PacsStegoGateway.Tests.Repository;

public sealed partial class DocumentationTests
{
    public static TheoryData<string> Pages => [.. RepositoryFiles.EndingWith(".md")];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file_and_to_a_heading_that_exist(string page)
    {
        foreach ((string target, string? heading) in Links(page))
        {
            string path = RepositoryFiles.At(target);
            (File.Exists(path) || Directory.Exists(path)).ShouldBeTrue($"{page} links to {target}");
            if (heading is not null)
            {
                Headings(target).ShouldContain(heading, $"{page} links to {target}#{heading}");
            }
        }
    }

    [Fact]
    public void Every_page_is_one_click_from_the_readme_and_every_decision_two()
    {
        HashSet<string> first = [.. Links("README.md").Select(static l => l.Target)];
        HashSet<string> second = [.. first.Where(static f => f.EndsWith(".md", StringComparison.Ordinal)).SelectMany(Links).Select(static l => l.Target), .. first];
        foreach (string page in RepositoryFiles.EndingWith(".md").Where(static p => p.StartsWith("docs/", StringComparison.Ordinal)))
        {
            (page.StartsWith("docs/decisions/", StringComparison.Ordinal) ? second : first).ShouldContain(page);
        }
    }

    [Fact]
    public void Every_script_that_a_page_names_exists_and_can_be_run()
    {
        foreach (string page in RepositoryFiles.EndingWith(".md"))
        {
            foreach (Match match in Script().Matches(RepositoryFiles.Text(page)))
            {
                string path = RepositoryFiles.At(match.Value);
                File.Exists(path).ShouldBeTrue($"{page} names {match.Value}");
                if (!OperatingSystem.IsWindows() && !match.Value.Contains("/lib/", StringComparison.Ordinal))
                {
                    File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserExecute).ShouldBeTrue(match.Value);
                }
            }
        }
    }

    [Fact]
    public void The_readme_has_the_two_commands_and_a_picture_that_is_there()
    {
        string readme = RepositoryFiles.Text("README.md");
        readme.ShouldContain("scripts/demo.sh");
        readme.ShouldContain("scripts/test.sh");
        Links("README.md").ShouldContain(static l => l.Target.EndsWith(".png", StringComparison.Ordinal));
    }

    /// <summary>Links to files of the repository: those to the world outside are not ours to promise.</summary>
    private static IEnumerable<(string Target, string? Heading)> Links(string page)
    {
        string folder = Path.GetDirectoryName(page) ?? "";
        foreach (Match match in Link().Matches(CodeBlock().Replace(RepositoryFiles.Text(page), "")))
        {
            string target = match.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            string[] parts = target.Split('#', 2);
            string path = parts[0].Length == 0
                ? page
                : Path.GetRelativePath(SharedData.RepositoryRoot, RepositoryFiles.At(Path.Combine(folder, parts[0]))).Replace('\\', '/');
            yield return (path, parts.Length == 2 ? parts[1] : null);
        }
    }

    /// <summary>The anchors that a heading gets: lower case, punctuation dropped, spaces as hyphens.</summary>
    private static List<string> Headings(string page) => RepositoryFiles.Text(page).Split('\n')
        .Where(static l => l.StartsWith('#'))
        .Select(static l => NotInAnchors().Replace(l.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'))
        .ToList();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();

    [GeneratedRegex(@"\bscripts/[\w/-]+\.(sh|py)\b")]
    private static partial Regex Script();
}
