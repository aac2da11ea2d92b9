using System.Xml.Linq;

namespace PacsStegoGateway.Tests.Repository;

public sealed class ProjectGraphTests
{
    private const string Executable = "PacsStegoGateway";

    /// <summary>The floors of the house (docs/architecture.md): an arrow may only go to a lower one.</summary>
    private static readonly Dictionary<string, int> Floors = new()
    {
        ["PacsStegoGateway"] = 5,
        ["PacsStegoGateway.Protection"] = 4,
        ["PacsStegoGateway.Segmentation"] = 3,
        ["PacsStegoGateway.Steganography"] = 3,
        ["PacsStegoGateway.Imaging"] = 2,
        ["PacsStegoGateway.Deidentification"] = 2,
        ["PacsStegoGateway.Dicom"] = 1,
    };

    private static readonly string[] ExecutableOnly =
        ["Microsoft.AspNetCore", "Microsoft.Extensions", "Npgsql", "Dapper", "Microsoft.Data.", "SQLitePCLRaw", "Spectre.Console", "System.CommandLine", "Polly"];

    public static TheoryData<string> Projects => [.. RepositoryFiles.EndingWith(".csproj").Where(static p => p.StartsWith("src/", StringComparison.Ordinal))];

    [Fact]
    public void Every_room_has_its_floor() =>
        Projects.Select(static p => Path.GetFileNameWithoutExtension((string)p)).Order().ShouldBe(Floors.Keys.Order());

    [Theory]
    [MemberData(nameof(Projects))]
    public void Arrows_point_only_to_lower_floors(string project)
    {
        int floor = Floors[Path.GetFileNameWithoutExtension(project)];
        foreach (string reference in Includes(project, "ProjectReference"))
        {
            Floors[Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'))].ShouldBeLessThan(floor, $"{project} -> {reference}");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Only_the_executable_knows_a_web_stack_a_database_or_a_console(string project)
    {
        if (Path.GetFileNameWithoutExtension(project) == Executable)
        {
            return;
        }

        XElement root = Load(project);
        root.Attribute("Sdk")!.Value.ShouldBe("Microsoft.NET.Sdk");
        Includes(project, "FrameworkReference").ShouldBeEmpty();
        Includes(project, "PackageReference").ShouldAllBe(static p => !ExecutableOnly.Any(e => p.StartsWith(e, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_ground_floor_stands_on_the_base_class_library_alone()
    {
        const string Dicom = "src/PacsStegoGateway.Dicom/PacsStegoGateway.Dicom.csproj";
        Includes(Dicom, "PackageReference").ShouldBeEmpty();
        Includes(Dicom, "ProjectReference").ShouldBeEmpty();
    }

    [Fact]
    public void Every_version_of_a_package_is_pinned_in_one_place()
    {
        foreach (string project in RepositoryFiles.EndingWith(".csproj"))
        {
            Load(project).Descendants("PackageReference").ShouldAllBe(static p => p.Attribute("Version") == null && p.Element("Version") == null, project);
        }

        Load("Directory.Packages.props").Descendants("PackageVersion")
            .Select(static p => p.Attribute("Version")!.Value)
            .ShouldAllBe(static v => v.All(static c => char.IsAsciiDigit(c) || c == '.'));
    }

    [Fact]
    public void The_solution_holds_every_project()
    {
        string solution = RepositoryFiles.Text("PacsStegoGateway.sln").Replace('\\', '/');
        RepositoryFiles.EndingWith(".csproj").ShouldAllBe(p => solution.Contains($"\"{p}\""));
    }

    private static XElement Load(string relative) => XDocument.Load(RepositoryFiles.At(relative)).Root!;

    private static IEnumerable<string> Includes(string project, string item) =>
        Load(project).Descendants(item).Select(static r => r.Attribute("Include")!.Value);
}
