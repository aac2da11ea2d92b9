using System.Globalization;
using System.Text.RegularExpressions;

namespace PacsStegoGateway.Tests.Repository;

/// <summary><c>docs/faults.md</c> names a test for every fault, and every test of a fault.</summary>
public sealed partial class FaultsPageTests
{
    private const int Faults = 21;

    private static readonly IReadOnlyDictionary<int, string[]> Page = RepositoryFiles.Text("docs/faults.md").Split('\n')
        .Select(static l => Row().Match(l))
        .Where(static m => m.Success)
        .ToDictionary(
            static m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture),
            static m => Name().Matches(m.Groups[2].Value).Select(static n => n.Groups[1].Value).ToArray());

    private static readonly IReadOnlySet<string> Methods = RepositoryFiles.EndingWith(".cs")
        .Where(static f => f.StartsWith("tests/", StringComparison.Ordinal))
        .SelectMany(static f => Method().Matches(RepositoryFiles.Text(f)))
        .Select(static m => m.Groups[1].Value)
        .ToHashSet();

    [Fact]
    public void Every_fault_has_a_row_and_every_test_that_it_names_exists()
    {
        Page.Keys.Order().ShouldBe(Enumerable.Range(1, Faults));
        Page.Values.ShouldAllBe(static names => names.Length > 0);
        Page.Values.SelectMany(static n => n).Where(static n => !Methods.Contains(n)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_test_of_a_fault_is_named_in_the_row_of_its_number()
    {
        foreach (string method in Methods.Where(static m => m.StartsWith("Fault_", StringComparison.Ordinal)))
        {
            Page[int.Parse(method.AsSpan(6, 2), CultureInfo.InvariantCulture)].ShouldContain(method);
        }
    }

    [GeneratedRegex(@"^\| (\d+) \|.*\| ([^|]*) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"public (?:static )?(?:async )?(?:Task|void) (\w+)\(")]
    private static partial Regex Method();
}
